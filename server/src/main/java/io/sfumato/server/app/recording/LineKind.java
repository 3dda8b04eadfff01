package io.sfumato.server.app.recording;

import com.google.protobuf.Message;
import com.google.protobuf.TypeRegistry;
import com.google.protobuf.util.JsonFormat;
import com.google.rpc.ErrorDetailsProto;
import io.sfumato.v1.Control;
import io.sfumato.v1.Event;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.RefineStart;
import io.sfumato.v1.Status;

/** What a line of a recording holds, and how it is called there. */
enum LineKind {
  /** The request; the first line. */
  GENERATE("generate", GenerateStart.getDefaultInstance()),
  /** The request; the first line. */
  REFINE("refine", RefineStart.getDefaultInstance()),
  /** What the client sent. */
  CONTROL("control", Control.getDefaultInstance()),
  /** What the server sent. */
  EVENT("event", Event.getDefaultInstance()),
  /** How the call ended; the last line. */
  STATUS("status", Status.getDefaultInstance());

  /** What the details of errors hold. */
  static final TypeRegistry ERROR_DETAILS =
      TypeRegistry.newBuilder().add(ErrorDetailsProto.getDescriptor().getMessageTypes()).build();

  static final JsonFormat.Printer PRINTER =
      JsonFormat.printer()
          .usingTypeRegistry(ERROR_DETAILS)
          .preservingProtoFieldNames()
          .omittingInsignificantWhitespace();

  static final JsonFormat.Parser PARSER = JsonFormat.parser().usingTypeRegistry(ERROR_DETAILS);

  /** The field with the time, in milliseconds since the request. */
  static final String TIME = "at_ms";

  private final String field;
  private final Message example;

  LineKind(String field, Message example) {
    this.field = field;
    this.example = example;
  }

  String field() {
    return field;
  }

  Message.Builder builder() {
    return example.newBuilderForType();
  }

  boolean isRequest() {
    return this == GENERATE || this == REFINE;
  }

  static LineKind of(Message message) {
    for (LineKind kind : values()) {
      if (kind.example.getDescriptorForType() == message.getDescriptorForType()) {
        return kind;
      }
    }
    throw new IllegalArgumentException(
        "message: "
            + message.getDescriptorForType().getFullName()
            + " (expected: one that is recorded)");
  }
}
