package io.sfumato.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Any;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.util.Durations;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.PreconditionFailure;
import com.google.rpc.QuotaFailure;
import com.google.rpc.ResourceInfo;
import com.google.rpc.RetryInfo;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall;
import io.grpc.ForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.GenerateTextRequest;
import io.sfumato.v1.GenerateTextResponse;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.GenerationServiceGrpc.GenerationServiceBlockingStub;
import io.sfumato.v1.Prompt;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a client is told when something goes wrong, over Netty. */
@Timeout(60)
class ErrorsTest {

  private static GenerateTextRequest request(String model) {
    GenerateStart.Builder start =
        GenerateStart.newBuilder().setModel(model).setPrompt(Prompt.newBuilder().setText("Hi"));
    return GenerateTextRequest.newBuilder().setStart(start).build();
  }

  private static StatusRuntimeException failure(
      GenerationServiceBlockingStub stub, GenerateTextRequest request) {
    StatusRuntimeException error =
        catchThrowableOfType(StatusRuntimeException.class, () -> stub.generateText(request));
    assertThat(error).isNotNull();
    return error;
  }

  /** The detail of a type; every status has exactly one ErrorInfo of ours. */
  private static <T extends Message> T detail(Throwable error, Class<T> type) throws Exception {
    com.google.rpc.Status status = StatusProto.fromThrowable(error);
    assertThat(status.getDetailsList()).filteredOn(detail -> detail.is(ErrorInfo.class)).hasSize(1);
    assertThat(status.getDetails(0).unpack(ErrorInfo.class).getDomain()).isEqualTo("sfumato");
    for (Any detail : status.getDetailsList()) {
      if (detail.is(type)) {
        return detail.unpack(type);
      }
    }
    throw new AssertionError("no " + type + " in " + status);
  }

  private static String reason(Throwable error) throws Exception {
    return detail(error, ErrorInfo.class).getReason();
  }

  /** Notes whether a response began before it failed. */
  private static final class HeaderCounter implements ClientInterceptor {

    final AtomicInteger headers = new AtomicInteger();

    @Override
    public <Q, R> ClientCall<Q, R> interceptCall(
        MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
      return new ForwardingClientCall.SimpleForwardingClientCall<>(next.newCall(method, options)) {
        @Override
        public void start(Listener<R> listener, Metadata sent) {
          super.start(
              new ForwardingClientCallListener.SimpleForwardingClientCallListener<>(listener) {
                @Override
                public void onHeaders(Metadata received) {
                  headers.incrementAndGet();
                  super.onHeaders(received);
                }
              },
              sent);
        }
      };
    }
  }

  @Test
  void refusalsCarryDetailsAndComeBeforeAnyResponse() throws Exception {
    try (RpcFixture fixture = new RpcFixture(RpcFixture.Transport.NETTY, new TextScript(-1))) {
      HeaderCounter counter = new HeaderCounter();
      GenerationServiceBlockingStub stub =
          GenerationServiceGrpc.newBlockingStub(fixture.channel).withInterceptors(counter);

      StatusRuntimeException unknown = failure(stub, request("no such"));
      assertThat(unknown.getStatus().getCode()).isEqualTo(Code.NOT_FOUND);
      assertThat(reason(unknown)).isEqualTo("MODEL_NOT_FOUND");
      assertThat(detail(unknown, ResourceInfo.class).getResourceName()).isEqualTo("no such");

      StatusRuntimeException late = failure(stub, request("late"));
      assertThat(late.getStatus().getCode()).isEqualTo(Code.UNAVAILABLE);
      assertThat(reason(late)).isEqualTo("MODEL_LOADING");
      assertThat(detail(late, RetryInfo.class).getRetryDelay()).isEqualTo(Durations.fromSeconds(2));
      assertThat(late.getTrailers().get(StatusMapper.RETRY_PUSHBACK)).isEqualTo("2000");

      StatusRuntimeException ids = failure(stub, request("ids"));
      assertThat(ids.getStatus().getCode()).isEqualTo(Code.FAILED_PRECONDITION);
      assertThat(reason(ids)).isEqualTo("MODEL_CAPABILITY");
      assertThat(detail(ids, PreconditionFailure.class).getViolations(0).getSubject())
          .isEqualTo("start.prompt.text");

      GenerateTextRequest.Builder invalid = request("").toBuilder();
      invalid.getStartBuilder().getSamplingBuilder().setTemperature(-1);
      StatusRuntimeException wrong = failure(stub, invalid.build());
      assertThat(wrong.getStatus().getCode()).isEqualTo(Code.INVALID_ARGUMENT);
      assertThat(wrong.getStatus().getDescription())
          .isEqualTo("start.sampling.temperature: -1 (expected: 0..2)");
      assertThat(detail(wrong, BadRequest.class).getFieldViolations(0))
          .isEqualTo(
              BadRequest.FieldViolation.newBuilder()
                  .setField("start.sampling.temperature")
                  .setDescription("temperature: -1 (expected: 0..2)")
                  .build());

      GenerateTextRequest.Builder early = request("").toBuilder();
      early.getStartBuilder().getSamplingBuilder().setTopP(.5f);
      StatusRuntimeException notBuilt = failure(stub, early.build());
      assertThat(notBuilt.getStatus().getCode()).isEqualTo(Code.UNIMPLEMENTED);
      assertThat(detail(notBuilt, BadRequest.class).getFieldViolations(0).getField())
          .isEqualTo("start.sampling.top_p");

      assertThat(counter.headers).hasValue(0);
      assertThat(stub.generateText(request("")).getFinished().getText()).isNotEmpty();
      assertThat(counter.headers).hasValue(1);
      assertThat(fixture.engine.runs()).as("refusals cost no step").isLessThanOrEqualTo(32);
    }
  }

  @Test
  void aFullQueueSaysWhenToComeBack() throws Exception {
    CountDownLatch hold = new CountDownLatch(1);
    TextScript text = new TextScript(-1);
    try (RpcFixture fixture =
        new RpcFixture(
            RpcFixture.Transport.NETTY,
            (run, batch, candidates) -> {
              awaitUninterruptibly(hold);
              text.propose(run, batch, candidates);
            },
            1)) {
      GenerationServiceGrpc.GenerationServiceFutureStub futures =
          GenerationServiceGrpc.newFutureStub(fixture.channel);
      List<Future<GenerateTextResponse>> answers = new ArrayList<>();
      for (int index = 0; index < 17; index++) {
        answers.add(futures.generateText(request("")));
        awaitAdmitted(fixture, index + 1);
      }
      StatusRuntimeException full =
          failure(GenerationServiceGrpc.newBlockingStub(fixture.channel), request(""));
      assertThat(full.getStatus().getCode()).isEqualTo(Code.RESOURCE_EXHAUSTED);
      assertThat(reason(full)).isEqualTo("QUEUE_FULL");
      assertThat(detail(full, QuotaFailure.class).getViolationsCount()).isEqualTo(1);
      assertThat(detail(full, RetryInfo.class).getRetryDelay()).matches(Durations::isPositive);
      hold.countDown();
      for (Future<GenerateTextResponse> answer : answers) {
        assertThat(answer.get().getFinished().getText()).isNotEmpty();
      }
    } finally {
      hold.countDown();
    }
  }

  private static void awaitAdmitted(RpcFixture fixture, int sessions) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
    while (fixture.gate.opened() < sessions) {
      assertThat(System.nanoTime()).isLessThan(end);
      Thread.sleep(1);
    }
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void aFaultOfTheEngineHasAnIdentityAndNoInsides() throws Exception {
    try (RpcFixture fixture =
        new RpcFixture(
            RpcFixture.Transport.NETTY,
            (run, batch, candidates) -> {
              throw new IllegalStateException("secret insides of the engine");
            })) {
      GenerationServiceBlockingStub stub = GenerationServiceGrpc.newBlockingStub(fixture.channel);
      StatusRuntimeException fault = failure(stub, request(""));
      assertThat(fault.getStatus().getCode()).isEqualTo(Code.INTERNAL);
      ErrorInfo info = detail(fault, ErrorInfo.class);
      assertThat(info.getReason()).isEqualTo("INTERNAL_FAULT");
      assertThat(info.getMetadataOrThrow("correlation_id")).matches("[0-9a-f]{16}");
      assertThat(StatusProto.fromThrowable(fault).toString())
          .doesNotContain("secret")
          .doesNotContain("io.sfumato.server");

      StatusRuntimeException lost = failure(stub, request(""));
      assertThat(lost.getStatus().getCode()).isEqualTo(Code.UNAVAILABLE);
      assertThat(reason(lost)).isEqualTo("ENGINE_LOST");
    }
  }

  @Test
  void theDeadlineEndsASession() throws Exception {
    TextScript text = new TextScript(-1);
    CountDownLatch hold = new CountDownLatch(1);
    try (RpcFixture fixture =
        new RpcFixture(
            RpcFixture.Transport.NETTY,
            (run, batch, candidates) -> {
              awaitUninterruptibly(hold);
              text.propose(run, batch, candidates);
            })) {
      StatusRuntimeException late =
          failure(
              GenerationServiceGrpc.newBlockingStub(fixture.channel)
                  .withDeadlineAfter(1, TimeUnit.SECONDS),
              request(""));
      assertThat(late.getStatus().getCode()).isEqualTo(Code.DEADLINE_EXCEEDED);
      // The client may know before the server does.
      RpcFixture.await(() -> fixture.gate.session("s-1").isCancelled());
      hold.countDown();
      RpcFixture.await(() -> fixture.loop.load().running() == 0);
      assertThat(fixture.engine.runs()).isLessThanOrEqualTo(2);
    } finally {
      hold.countDown();
    }
  }

  @Test
  void everyReasonIsInTheContract() {
    List<String> contract =
        Arrays.stream(io.sfumato.v1.ErrorReason.values())
            .filter(value -> value != io.sfumato.v1.ErrorReason.UNRECOGNIZED)
            .map(Enum::name)
            .toList();
    for (ErrorReason reason : ErrorReason.values()) {
      assertThat(contract).contains("ERROR_REASON_" + reason.name());
    }
  }

  @Test
  void everyReasonHasAStatus() throws Exception {
    StatusMapper mapper = new StatusMapper(() -> 0xabcL);
    for (ErrorReason reason : ErrorReason.values()) {
      ServingException error =
          new ServingException(
              reason, "name: 1 (expected: 2)", List.of(), Map.of("limit", "2"), 5_000_000, null);
      StatusRuntimeException mapped = mapper.toException(error);
      assertThat(mapped.getStatus().getCode().name()).isEqualTo(reason.kind().name());
      assertThat(reason(mapped)).isEqualTo(reason.name());
      io.sfumato.v1.Status message = mapper.toMessage(error);
      assertThat(message.getCode()).isEqualTo(mapped.getStatus().getCode().value());
      if (reason != ErrorReason.INTERNAL_FAULT) {
        assertThat(message.getMessage()).isEqualTo("name: 1 (expected: 2)");
        assertThat(detail(mapped, ErrorInfo.class).getMetadataMap()).containsEntry("limit", "2");
      }
    }
    StatusRuntimeException fault = mapper.toException(new IllegalStateException("insides"));
    assertThat(fault.getStatus().getDescription())
        .isEqualTo("internal fault, correlation_id: 0000000000000abc");
    assertThat(Status.fromThrowable(fault).getCause()).isNull();
  }

  @Test
  void theStatusInAStreamIsGooglesOnTheWire() throws Exception {
    io.sfumato.v1.Status ours =
        new StatusMapper(() -> 1).toMessage(ServingException.invalidField("a.b", 1, "2"));
    assertThat(com.google.rpc.Status.parseFrom(ours.toByteArray()).getMessage())
        .isEqualTo("a.b: 1 (expected: 2)");
    List<FieldDescriptor> theirs = com.google.rpc.Status.getDescriptor().getFields();
    assertThat(io.sfumato.v1.Status.getDescriptor().getFields()).hasSameSizeAs(theirs);
    for (FieldDescriptor field : theirs) {
      FieldDescriptor same =
          io.sfumato.v1.Status.getDescriptor().findFieldByNumber(field.getNumber());
      assertThat(same.getName()).isEqualTo(field.getName());
      assertThat(same.getType()).isEqualTo(field.getType());
      assertThat(same.isRepeated()).isEqualTo(field.isRepeated());
    }
  }
}
