package io.sfumato.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.StreamObserver;
import io.sfumato.server.text.ByteCodec;
import io.sfumato.v1.Capabilities;
import io.sfumato.v1.Chat;
import io.sfumato.v1.ChatMessage;
import io.sfumato.v1.CountTokensRequest;
import io.sfumato.v1.DetokenizeRequest;
import io.sfumato.v1.Event;
import io.sfumato.v1.FinishReason;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.GenerateTextRequest;
import io.sfumato.v1.GenerateTextResponse;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.GetModelRequest;
import io.sfumato.v1.ListModelsRequest;
import io.sfumato.v1.ListModelsResponse;
import io.sfumato.v1.Model;
import io.sfumato.v1.ModelServiceGrpc;
import io.sfumato.v1.Prompt;
import io.sfumato.v1.SamplingSpec;
import io.sfumato.v1.StreamGenerateRequest;
import io.sfumato.v1.StreamSpec;
import io.sfumato.v1.TokenIds;
import io.sfumato.v1.TokenServiceGrpc;
import io.sfumato.v1.TokenizeRequest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Everything beside the two-way streams, over Netty. */
@Timeout(60)
class ServicesTest {

  private final RpcFixture fixture;

  ServicesTest() throws Exception {
    fixture = new RpcFixture(RpcFixture.Transport.NETTY, new TextScript(30));
  }

  @AfterEach
  void close() {
    fixture.close();
  }

  private static GenerateStart.Builder start() {
    return GenerateStart.newBuilder()
        .setPrompt(Prompt.newBuilder().setText("Hi"))
        .setSampling(SamplingSpec.newBuilder().setSeed(5));
  }

  @Test
  void theSameRequestGivesTheSameTextInOneMessageAndAsAStream() {
    GenerateStart.Builder start =
        start().setStream(StreamSpec.newBuilder().setIncludeTokenIds(true));
    GenerateTextResponse whole =
        GenerationServiceGrpc.newBlockingStub(fixture.channel)
            .generateText(GenerateTextRequest.newBuilder().setStart(start).build());
    assertThat(whole.getAccepted().getSampling().getSeed()).isEqualTo(5);
    assertThat(whole.getFinished().getReason()).isEqualTo(FinishReason.FINISH_REASON_END_OF_TEXT);
    assertThat(whole.getFinished().getTokenIdsCount())
        .isEqualTo(28)
        .isEqualTo(whole.getFinished().getUsage().getCommittedTokens());

    Iterator<Event> events =
        GenerationServiceGrpc.newBlockingStub(fixture.channel)
            .streamGenerate(StreamGenerateRequest.newBuilder().setStart(start).build());
    CanvasReplica replica = new CanvasReplica();
    events.forEachRemaining(replica::take);
    assertThat(replica.finished.getText()).isEqualTo(whole.getFinished().getText());
    assertThat(replica.committed.toString()).isEqualTo(whole.getFinished().getText());
    assertThat(replica.finished.getTokenIdsList()).isEqualTo(whole.getFinished().getTokenIdsList());
    assertThat(replica.finished.getUsage()).isEqualTo(whole.getFinished().getUsage());
  }

  @Test
  void aModelWithoutTokenizerIsServedByTokenIds() {
    GenerateStart.Builder start =
        start()
            .setModel("ids")
            .setPrompt(Prompt.newBuilder().setTokenIds(TokenIds.newBuilder().addIds(72)));
    GenerateTextResponse whole =
        GenerationServiceGrpc.newBlockingStub(fixture.channel)
            .generateText(GenerateTextRequest.newBuilder().setStart(start).build());
    assertThat(whole.getFinished().getText()).isEmpty();
    assertThat(whole.getFinished().getTokenIdsCount()).isEqualTo(29);

    start.setStream(StreamSpec.newBuilder().setDetail(StreamSpec.Detail.DETAIL_CANVAS));
    CanvasReplica replica = new CanvasReplica();
    GenerationServiceGrpc.newBlockingStub(fixture.channel)
        .streamGenerate(StreamGenerateRequest.newBuilder().setStart(start).build())
        .forEachRemaining(replica::take);
    assertThat(replica.frames).isPositive();
    assertThat(replica.text()).isEmpty();
    assertThat(Arrays.copyOf(replica.tokens, 29))
        .containsExactly(
            whole.getFinished().getTokenIdsList().stream().mapToInt(Integer::intValue).toArray());
  }

  @Test
  void modelsSayWhatTheyAreAndCanDo() {
    ModelServiceGrpc.ModelServiceBlockingStub stub =
        ModelServiceGrpc.newBlockingStub(fixture.channel);
    List<Model> models = stub.listModels(ListModelsRequest.getDefaultInstance()).getModelsList();
    assertThat(models).extracting(Model::getName).containsExactly("bytes", "ids", "late");
    assertThat(models).extracting(Model::getIsDefault).containsExactly(true, false, false);
    Model bytes = models.get(0);
    assertThat(bytes.getState()).isEqualTo(Model.State.STATE_READY);
    assertThat(bytes.getFamily()).isEqualTo("scripted");
    assertThat(bytes.getDigest()).isEqualTo("00ff");
    assertThat(bytes.getLimits().getMaxContextTokens()).isEqualTo(512);
    assertThat(bytes.getLimits().getVocabularySize()).isEqualTo(ByteCodec.VOCABULARY);
    assertThat(bytes.getCapabilities().getNoise()).isEqualTo(Capabilities.Noise.NOISE_MASK);
    assertThat(bytes.getCapabilities().getTokenizer()).isTrue();
    assertThat(bytes.getCapabilities().getChat()).isTrue();
    assertThat(bytes.getCapabilities().getTemplates()).isTrue();
    assertThat(bytes.getCapabilities().getApproximateCache()).isTrue();
    assertThat(bytes.getDefaultCanvas().getBlockLengthTokens()).isEqualTo(32);
    assertThat(bytes.getDefaultSampling().hasSeed()).isFalse();
    assertThat(bytes.getDefaultSampling().getConfidenceThreshold().getThreshold()).isEqualTo(.9f);
    assertThat(models.get(1).getCapabilities().getTokenizer()).isFalse();
    assertThat(models.get(1).getCapabilities().getTemplates()).isFalse();
    assertThat(models.get(1).getCapabilities().getApproximateCache()).isFalse();
    assertThat(models.get(2).getState()).isEqualTo(Model.State.STATE_LOADING);
    assertThat(models.get(2).getStateMessage()).isEqualTo("reading weights");

    assertThat(stub.getModel(GetModelRequest.getDefaultInstance()).getModel()).isEqualTo(bytes);
    assertThat(stub.getModel(GetModelRequest.newBuilder().setName("ids").build()).getModel())
        .isEqualTo(models.get(1));
    assertThatThrownBy(() -> stub.getModel(GetModelRequest.newBuilder().setName("none").build()))
        .hasMessage("NOT_FOUND: name: none (expected: one of [bytes, ids, late])");
  }

  @Test
  void modelsComeByPage() {
    ModelServiceGrpc.ModelServiceBlockingStub stub =
        ModelServiceGrpc.newBlockingStub(fixture.channel);
    List<String> names = new ArrayList<>();
    String token = "";
    do {
      ListModelsResponse page =
          stub.listModels(
              ListModelsRequest.newBuilder().setPageSize(2).setPageToken(token).build());
      page.getModelsList().forEach(model -> names.add(model.getName()));
      token = page.getNextPageToken();
    } while (!token.isEmpty());
    assertThat(names).containsExactly("bytes", "ids", "late");
    assertThatThrownBy(
            () -> stub.listModels(ListModelsRequest.newBuilder().setPageSize(1001).build()))
        .hasMessage("INVALID_ARGUMENT: page_size: 1001 (expected: 0..1000)");
    assertThatThrownBy(
            () -> stub.listModels(ListModelsRequest.newBuilder().setPageToken("x").build()))
        .hasMessage(
            "INVALID_ARGUMENT: page_token: unknown (expected: a next_page_token of this server)");
  }

  @Test
  void tokensThereAndBack() {
    TokenServiceGrpc.TokenServiceBlockingStub stub =
        TokenServiceGrpc.newBlockingStub(fixture.channel);
    List<Integer> tokens =
        stub.tokenize(
                TokenizeRequest.newBuilder().setPrompt(Prompt.newBuilder().setText("a€")).build())
            .getTokenIdsList();
    assertThat(tokens).containsExactly(0x61, 0xe2, 0x82, 0xac);
    assertThat(
            stub.detokenize(DetokenizeRequest.newBuilder().addAllTokenIds(tokens).build())
                .getText())
        .isEqualTo("a€");
    assertThat(
            stub.detokenize(DetokenizeRequest.newBuilder().addTokenIds(ByteCodec.MASK).build())
                .getText())
        .isEmpty();
    Prompt chat =
        Prompt.newBuilder()
            .setChat(
                Chat.newBuilder()
                    .addMessages(ChatMessage.newBuilder().setRole("user").setContent("abc")))
            .build();
    assertThat(
            stub.countTokens(CountTokensRequest.newBuilder().setPrompt(chat).build())
                .getTokenCount())
        .as("with the template's overhead")
        .isEqualTo(10);
    assertThatThrownBy(
            () -> stub.detokenize(DetokenizeRequest.newBuilder().addTokenIds(999).build()))
        .isInstanceOf(StatusRuntimeException.class)
        .hasMessage("INVALID_ARGUMENT: token_ids[0]: 999 (expected: 0..258)");
    assertThatThrownBy(() -> stub.countTokens(CountTokensRequest.getDefaultInstance()))
        .hasMessage("INVALID_ARGUMENT: prompt: absent (expected: text, chat or token_ids)");
    assertThatThrownBy(() ->
            stub.detokenize(DetokenizeRequest.newBuilder().setModel("ids").addTokenIds(1).build()))
        .hasMessageStartingWith("FAILED_PRECONDITION: token_ids: set (expected:");
  }

  @Test
  void healthFollowsTheServer() {
    HealthGrpc.HealthBlockingStub stub = HealthGrpc.newBlockingStub(fixture.channel);
    assertThat(stub.check(HealthCheckRequest.getDefaultInstance()).getStatus())
        .isEqualTo(ServingStatus.NOT_SERVING);
    fixture.server.serving(true);
    for (String service :
        List.of(
            "",
            "sfumato.v1.GenerationService",
            "sfumato.v1.ModelService",
            "sfumato.v1.TokenService")) {
      HealthCheckRequest request = HealthCheckRequest.newBuilder().setService(service).build();
      assertThat(stub.check(request).getStatus()).as(service).isEqualTo(ServingStatus.SERVING);
    }
    fixture.server.serving(false);
    assertThat(stub.check(HealthCheckRequest.getDefaultInstance()).getStatus())
        .isEqualTo(ServingStatus.NOT_SERVING);
  }

  @Test
  void reflectionListsTheServices() throws Exception {
    BlockingQueue<ServerReflectionResponse> answers = new LinkedBlockingQueue<>();
    StreamObserver<ServerReflectionRequest> requests =
        ServerReflectionGrpc.newStub(fixture.channel)
            .serverReflectionInfo(
                new StreamObserver<>() {
                  @Override
                  public void onNext(ServerReflectionResponse response) {
                    answers.add(response);
                  }

                  @Override
                  public void onError(Throwable error) {}

                  @Override
                  public void onCompleted() {}
                });
    requests.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
    ServerReflectionResponse answer = answers.poll(10, TimeUnit.SECONDS);
    requests.onCompleted();
    assertThat(answer).isNotNull();
    assertThat(answer.getListServicesResponse().getServiceList())
        .extracting(ServiceResponse::getName)
        .contains(
            "sfumato.v1.GenerationService",
            "sfumato.v1.ModelService",
            "sfumato.v1.TokenService",
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection");
  }
}
