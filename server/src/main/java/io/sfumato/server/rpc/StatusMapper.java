package io.sfumato.server.rpc;

import com.google.protobuf.Any;
import com.google.protobuf.util.Durations;
import com.google.rpc.BadRequest;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import com.google.rpc.PreconditionFailure;
import com.google.rpc.QuotaFailure;
import com.google.rpc.ResourceInfo;
import com.google.rpc.RetryInfo;
import com.google.rpc.Status;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.sfumato.server.error.ErrorKind;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.FieldViolation;
import io.sfumato.server.error.ServingException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The one place where errors become gRPC statuses with details (AIP-193). Thread-safe. */
final class StatusMapper {

  /** Tells gRPC's own retries when to come back (gRFC A6). */
  static final Metadata.Key<String> RETRY_PUSHBACK =
      Metadata.Key.of("grpc-retry-pushback-ms", Metadata.ASCII_STRING_MARSHALLER);

  private static final Logger LOG = LoggerFactory.getLogger(StatusMapper.class);
  private static final String DOMAIN = "sfumato";
  private static final String CORRELATION_ID = "correlation_id";

  private final LongSupplier correlationIds;

  /**
   * @param correlationIds names of faults in the log
   */
  StatusMapper(LongSupplier correlationIds) {
    this.correlationIds = correlationIds;
  }

  /** The error as what a call ends with. */
  StatusRuntimeException toException(Throwable error) {
    Status status = toStatus(error);
    Metadata trailers = new Metadata();
    for (Any detail : status.getDetailsList()) {
      if (detail.is(RetryInfo.class) && status.getCode() == Code.UNAVAILABLE_VALUE) {
        long nanos = ((ServingException) error).retryAfterNanos();
        trailers.put(RETRY_PUSHBACK, Long.toString(TimeUnit.NANOSECONDS.toMillis(nanos)));
      }
    }
    return StatusProto.toStatusRuntimeException(status, trailers);
  }

  /** The error as a message inside a stream. */
  io.sfumato.v1.Status toMessage(Throwable error) {
    Status status = toStatus(error);
    return io.sfumato.v1.Status.newBuilder()
        .setCode(status.getCode())
        .setMessage(status.getMessage())
        .addAllDetails(status.getDetailsList())
        .build();
  }

  private Status toStatus(Throwable error) {
    if (error instanceof ServingException known && known.reason() != ErrorReason.INTERNAL_FAULT) {
      return known(known);
    }
    String correlationId = HexFormat.of().toHexDigits(correlationIds.getAsLong());
    LOG.error("internal fault {}", correlationId, error);
    return Status.newBuilder()
        .setCode(Code.INTERNAL_VALUE)
        .setMessage("internal fault, " + CORRELATION_ID + ": " + correlationId)
        .addDetails(
            Any.pack(errorInfo(ErrorReason.INTERNAL_FAULT, Map.of(CORRELATION_ID, correlationId))))
        .build();
  }

  private static Status known(ServingException error) {
    Status.Builder status =
        Status.newBuilder()
            .setCode(code(error.reason().kind()).getNumber())
            .setMessage(error.getMessage())
            .addDetails(Any.pack(errorInfo(error.reason(), error.metadata())));
    switch (error.reason().kind()) {
      case INVALID_ARGUMENT, UNIMPLEMENTED -> {
        if (!error.violations().isEmpty()) {
          status.addDetails(Any.pack(badRequest(error.violations())));
        }
      }
      case FAILED_PRECONDITION -> status.addDetails(Any.pack(precondition(error)));
      case NOT_FOUND ->
          status.addDetails(
              Any.pack(
                  ResourceInfo.newBuilder()
                      .setResourceType("sfumato.v1.Model")
                      .setResourceName(error.metadata().getOrDefault("model", ""))
                      .setDescription(error.getMessage())
                      .build()));
      case RESOURCE_EXHAUSTED ->
          status.addDetails(
              Any.pack(
                  QuotaFailure.newBuilder()
                      .addViolations(
                          QuotaFailure.Violation.newBuilder()
                              .setSubject(error.reason().name())
                              .setDescription(error.getMessage()))
                      .build()));
      case UNAVAILABLE, DEADLINE_EXCEEDED, CANCELLED, ABORTED, INTERNAL -> {}
    }
    if (error.retryAfterNanos() > 0) {
      status.addDetails(
          Any.pack(
              RetryInfo.newBuilder()
                  .setRetryDelay(Durations.fromNanos(error.retryAfterNanos()))
                  .build()));
    }
    return status.build();
  }

  private static ErrorInfo errorInfo(ErrorReason reason, Map<String, String> metadata) {
    return ErrorInfo.newBuilder()
        .setReason(reason.name())
        .setDomain(DOMAIN)
        .putAllMetadata(new TreeMap<>(metadata))
        .build();
  }

  private static BadRequest badRequest(List<FieldViolation> violations) {
    BadRequest.Builder request = BadRequest.newBuilder();
    for (FieldViolation violation : violations) {
      request.addFieldViolations(
          BadRequest.FieldViolation.newBuilder()
              .setField(violation.path())
              .setDescription(violation.message()));
    }
    return request.build();
  }

  private static PreconditionFailure precondition(ServingException error) {
    PreconditionFailure.Builder failure = PreconditionFailure.newBuilder();
    for (FieldViolation violation : error.violations()) {
      failure.addViolations(
          PreconditionFailure.Violation.newBuilder()
              .setType(error.reason().name())
              .setSubject(violation.path())
              .setDescription(violation.message()));
    }
    if (error.violations().isEmpty()) {
      failure.addViolations(
          PreconditionFailure.Violation.newBuilder()
              .setType(error.reason().name())
              .setDescription(error.getMessage()));
    }
    return failure.build();
  }

  private static Code code(ErrorKind kind) {
    return switch (kind) {
      case INVALID_ARGUMENT -> Code.INVALID_ARGUMENT;
      case FAILED_PRECONDITION -> Code.FAILED_PRECONDITION;
      case UNIMPLEMENTED -> Code.UNIMPLEMENTED;
      case NOT_FOUND -> Code.NOT_FOUND;
      case UNAVAILABLE -> Code.UNAVAILABLE;
      case RESOURCE_EXHAUSTED -> Code.RESOURCE_EXHAUSTED;
      case DEADLINE_EXCEEDED -> Code.DEADLINE_EXCEEDED;
      case CANCELLED -> Code.CANCELLED;
      case ABORTED -> Code.ABORTED;
      case INTERNAL -> Code.INTERNAL;
    };
  }
}
