package io.sfumato.server.app;

import com.google.common.base.Strings;
import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.util.List;

/** Words for what a server answers when it refuses. Stateless and thread-safe. */
final class RemoteErrors {

  private RemoteErrors() {}

  /** Code, reason and message, and below them every field that was wrong. */
  static String describe(Throwable failure) {
    Status status = Status.fromThrowable(failure);
    StringBuilder text = new StringBuilder(status.getCode().toString());
    StringBuilder fields = new StringBuilder();
    com.google.rpc.Status details = StatusProto.fromThrowable(failure);
    if (details != null) {
      for (Any detail : details.getDetailsList()) {
        add(detail, text, fields);
      }
    }
    text.append(": ")
        .append(status.getDescription() == null ? "no message" : status.getDescription());
    if (status.getCause() != null) {
      text.append(" (").append(status.getCause().getMessage()).append(")");
    }
    return text.append(fields).toString();
  }

  /**
   * The status of a call as the contract writes it.
   *
   * @param failure null when the call ended well
   */
  static io.sfumato.v1.Status status(Throwable failure) {
    if (failure == null) {
      return io.sfumato.v1.Status.getDefaultInstance();
    }
    Status status = Status.fromThrowable(failure);
    com.google.rpc.Status details = StatusProto.fromThrowable(failure);
    return io.sfumato.v1.Status.newBuilder()
        .setCode(status.getCode().value())
        .setMessage(Strings.nullToEmpty(status.getDescription()))
        .addAllDetails(details == null ? List.of() : details.getDetailsList())
        .build();
  }

  /** As {@link #describe(Throwable)}, for a status that did come from a call. */
  static String describe(io.sfumato.v1.Status status) {
    return describe(
        StatusProto.toStatusRuntimeException(
            com.google.rpc.Status.newBuilder()
                .setCode(status.getCode())
                .setMessage(status.getMessage())
                .addAllDetails(status.getDetailsList())
                .build()));
  }

  private static void add(Any detail, StringBuilder text, StringBuilder fields) {
    try {
      if (detail.is(ErrorInfo.class)) {
        text.append(" ").append(detail.unpack(ErrorInfo.class).getReason());
      } else if (detail.is(BadRequest.class)) {
        for (BadRequest.FieldViolation violation :
            detail.unpack(BadRequest.class).getFieldViolationsList()) {
          fields
              .append("\n  ")
              .append(violation.getField())
              .append("  ")
              .append(violation.getDescription());
        }
      }
    } catch (InvalidProtocolBufferException e) {
      fields.append("\n  ").append(detail.getTypeUrl()).append("  cannot be read");
    }
  }
}
