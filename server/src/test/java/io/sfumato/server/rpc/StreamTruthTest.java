package io.sfumato.server.rpc;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.stub.StreamObserver;
import io.sfumato.server.canvas.CanvasSnapshot;
import io.sfumato.server.model.ServedModel;
import io.sfumato.server.text.ByteCodec;
import io.sfumato.v1.CanvasSpec;
import io.sfumato.v1.ConfidenceThreshold;
import io.sfumato.v1.EntropyBound;
import io.sfumato.v1.Event;
import io.sfumato.v1.FinishReason;
import io.sfumato.v1.Finished;
import io.sfumato.v1.FixedSchedule;
import io.sfumato.v1.GenerateRequest;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.GenerationServiceGrpc.GenerationServiceStub;
import io.sfumato.v1.Prompt;
import io.sfumato.v1.RefineRequest;
import io.sfumato.v1.RefineStart;
import io.sfumato.v1.RevisedToken;
import io.sfumato.v1.Revision;
import io.sfumato.v1.SamplingSpec;
import io.sfumato.v1.Segment;
import io.sfumato.v1.StopSpec;
import io.sfumato.v1.StreamSpec;
import io.sfumato.v1.TokenIds;
import io.sfumato.v1.TokenState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The stream tells the truth: whatever a session does, a client that follows the contract holds
 * exactly that.
 */
class StreamTruthTest {

  private static final int SESSIONS = 60;
  private static final ServedModel MODEL =
      RpcFixture.catalog((spec, signal) -> null).require("bytes");

  @ParameterizedTest
  @EnumSource(RpcFixture.Transport.class)
  void framesRebuildEveryCanvasAndCommitsTheText(RpcFixture.Transport transport) throws Exception {
    try (RpcFixture fixture = new RpcFixture(transport, new TextScript(70))) {
      GenerationServiceStub stub = GenerationServiceGrpc.newStub(fixture.channel);
      Random random = new Random(7);
      for (int round = 0; round < SESSIONS / 6; round++) {
        List<EventLog<GenerateRequest>> logs = new ArrayList<>();
        List<GenerateStart> starts = new ArrayList<>();
        for (int index = 0; index < 6; index++) {
          GenerateStart start = start(random);
          EventLog<GenerateRequest> log = new EventLog<>();
          StreamObserver<GenerateRequest> requests = stub.generate(log);
          requests.onNext(GenerateRequest.newBuilder().setStart(start).build());
          requests.onCompleted();
          starts.add(start);
          logs.add(log);
        }
        for (int index = 0; index < 6; index++) {
          assertThat(logs.get(index).error()).isNull();
          check(logs.get(index).rest(), starts.get(index).getStream(), fixture.gate);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(RpcFixture.Transport.class)
  void refinedTextKeepsWhatIsLocked(RpcFixture.Transport transport) throws Exception {
    try (RpcFixture fixture = new RpcFixture(transport, new TextScript(-1))) {
      GenerationServiceStub stub = GenerationServiceGrpc.newStub(fixture.channel);
      Random random = new Random(8);
      for (int round = 0; round < SESSIONS; round++) {
        RefineStart.Builder start =
            RefineStart.newBuilder().setSampling(sampling(random)).setStream(stream(random));
        if (random.nextBoolean()) {
          start.setInstruction(Prompt.newBuilder().setText("Größer"));
        }
        boolean locked = random.nextBoolean();
        List<String> lockedTexts = new ArrayList<>();
        for (int index = 1 + random.nextInt(4); index >= 0; index--) {
          locked = !locked;
          if (locked) {
            lockedTexts.add("fest€" + index);
          }
          start.addSegments(locked ? locked("fest€" + index) : editable(random));
        }
        start.addSegments(Segment.newBuilder().setBlankTokens(3));

        EventLog<RefineRequest> log = new EventLog<>();
        StreamObserver<RefineRequest> requests = stub.refine(log);
        requests.onNext(RefineRequest.newBuilder().setStart(start).build());
        CanvasReplica replica = check(log.rest(), start.getStream(), fixture.gate);
        assertThat(log.error()).isNull();

        int from = 0;
        for (String text : lockedTexts) {
          int found = replica.finished.getText().indexOf(text, from);
          assertThat(found)
              .as("%s in %s", text, replica.finished.getText())
              .isGreaterThanOrEqualTo(from);
          from = found + text.length();
        }
        checkRevisedTokens(start, replica);
      }
    }
  }

  /**
   * A token of a draft was replaced exactly where another one stands, or its replacements say so.
   */
  private static void checkRevisedTokens(RefineStart.Builder start, CanvasReplica replica) {
    Finished finished = replica.finished;
    if (!start.getStream().getIncludeRevisedTokens()) {
      assertThat(finished.getRevisedTokensList()).isEmpty();
      return;
    }
    Map<Integer, RevisedToken> revised = new HashMap<>();
    for (RevisedToken token : finished.getRevisedTokensList()) {
      assertThat(revised.put(token.getPosition(), token)).isNull();
      assertThat(token.getReplacements()).isPositive();
      assertThat(token.getStep()).isBetween(1, finished.getUsage().getForwardPasses());
      assertThat(token.getReplacements() > 1 || token.getFirstTokenId() != token.getTokenId())
          .isTrue();
    }
    int position = 0;
    for (Segment segment : start.getSegmentsList()) {
      byte[] draft = segment.getText().getBytes(UTF_8);
      for (byte each : draft) {
        RevisedToken token = revised.get(position);
        if (token != null) {
          assertThat(token.getFirstTokenId()).isEqualTo(each & 0xff);
        }
        if (start.getStream().getIncludeTokenIds() && position < finished.getTokenIdsCount()) {
          int stands = finished.getTokenIds(position);
          assertThat(stands).isEqualTo(token == null ? each & 0xff : token.getTokenId());
        }
        position++;
      }
      position += segment.getBlankTokens();
    }
  }

  @ParameterizedTest
  @EnumSource(RpcFixture.Transport.class)
  void aMaskTokenInAPromptStaysAPrompt(RpcFixture.Transport transport) throws Exception {
    List<int[]> seen = new ArrayList<>();
    TextScript script = new TextScript(-1);
    try (RpcFixture fixture =
        new RpcFixture(
            transport,
            (run, batch, candidates) -> {
              seen.add(java.util.Arrays.copyOf(batch.tokens(), batch.tokenCount()));
              for (int row = 0; row < batch.candidateCount(); row++) {
                assertThat(batch.candidateRows()[row]).isGreaterThanOrEqualTo(3);
              }
              script.propose(run, batch, candidates);
            })) {
      EventLog<GenerateRequest> log = new EventLog<>();
      StreamObserver<GenerateRequest> requests =
          GenerationServiceGrpc.newStub(fixture.channel).generate(log);
      TokenIds ids =
          TokenIds.newBuilder().addIds(ByteCodec.MASK).addIds('a').addIds(ByteCodec.MASK).build();
      GenerateStart.Builder start =
          GenerateStart.newBuilder()
              .setPrompt(Prompt.newBuilder().setTokenIds(ids))
              .setStream(
                  StreamSpec.newBuilder()
                      .setDetail(StreamSpec.Detail.DETAIL_CANVAS)
                      .setIncludeTokenIds(true));
      requests.onNext(GenerateRequest.newBuilder().setStart(start).build());
      CanvasReplica replica = check(log.rest(), start.getStream(), fixture.gate);

      assertThat(log.error()).isNull();
      assertThat(replica.finished.getUsage().getPromptTokens()).isEqualTo(3);
      assertThat(replica.tokens).hasSize(64).doesNotContain(ByteCodec.MASK);
      assertThat(seen)
          .isNotEmpty()
          .allSatisfy(tokens -> assertThat(tokens).startsWith(ByteCodec.MASK, 'a', ByteCodec.MASK));
    }
  }

  @ParameterizedTest
  @EnumSource(RpcFixture.Transport.class)
  void theSameSeedGivesTheSameTextWhateverElseRuns(RpcFixture.Transport transport)
      throws Exception {
    try (RpcFixture fixture = new RpcFixture(transport, new TextScript(-1))) {
      GenerationServiceStub stub = GenerationServiceGrpc.newStub(fixture.channel);
      Random random = new Random(9);
      for (int round = 0; round < 10; round++) {
        GenerateStart start = start(random);
        Finished alone = generate(stub, start).finished();
        List<Running> others = new ArrayList<>();
        for (int index = 0; index < 5; index++) {
          others.add(Running.open(stub, start(random)));
        }
        Running again = Running.open(stub, start);
        Finished among = again.finished();
        assertThat(among.getText()).isEqualTo(alone.getText());
        assertThat(among.getTokenIdsList()).isEqualTo(alone.getTokenIdsList());
        if (alone.getReason() != FinishReason.FINISH_REASON_STOP_TEXT) { // found after the step
          assertThat(among.getUsage()).isEqualTo(alone.getUsage());
        }
        for (Running other : others) {
          other.finished();
        }
      }
    }
  }

  private record Running(EventLog<GenerateRequest> log) {

    static Running open(GenerationServiceStub stub, GenerateStart start) {
      EventLog<GenerateRequest> log = new EventLog<>();
      StreamObserver<GenerateRequest> requests = stub.generate(log);
      requests.onNext(GenerateRequest.newBuilder().setStart(start).build());
      requests.onCompleted();
      return new Running(log);
    }

    Finished finished() throws InterruptedException {
      List<Event> events = log.rest();
      assertThat(log.error()).isNull();
      return events.get(events.size() - 1).getFinished();
    }
  }

  private static Running generate(GenerationServiceStub stub, GenerateStart start) {
    return Running.open(stub, start);
  }

  /**
   * Plays the events to a replica, and compares it at every frame with the canvases of the session.
   */
  private static CanvasReplica check(List<Event> events, StreamSpec spec, RecordingGate gate) {
    String sessionId = events.get(0).getAccepted().getSessionId();
    RecordingGate.Recorded session = gate.session(sessionId);
    List<CanvasSnapshot> canvases = session.canvases();
    StreamSettings stream = StreamReader.read(spec, "stream", MODEL, true, new Problems());
    CanvasReplica replica = new CanvasReplica();
    int next = 0;
    for (Event event : events) {
      replica.take(event);
      if (event.hasCanvasKeyframe() || event.hasCanvasDelta()) {
        while (next < canvases.size() && !replica.shows(canvases.get(next), stream)) {
          next++;
        }
        assertThat(next)
            .as("a canvas of the session for frame %s", event)
            .isLessThan(canvases.size());
      }
    }
    assertThat(replica.finished).isNotNull();
    if (stream.showsCommits()) {
      assertThat(replica.committed.toString()).isEqualTo(replica.finished.getText());
    }
    if (stream.showsCanvas()) {
      assertThat(replica.frames).isPositive();
      assertThat(replica.shows(canvases.get(canvases.size() - 1), stream))
          .as("the last canvas is shown")
          .isTrue();
      checkCommittedPart(replica);
    } else {
      assertThat(replica.frames).isZero();
    }
    return replica;
  }

  /** The canvas, up to where the text ends, reads like the text. */
  private static void checkCommittedPart(CanvasReplica replica) {
    if (replica.finished.getReason() == FinishReason.FINISH_REASON_MAX_LENGTH) {
      assertThat(replica.text()).isEqualTo(replica.finished.getText());
      assertThat(replica.states).containsOnly(TokenState.TOKEN_STATE_COMMITTED);
    }
    if (replica.finished.getReason() != FinishReason.FINISH_REASON_STOP_TEXT) {
      assertThat(replica.text()).startsWith(replica.finished.getText());
    }
  }

  private static GenerateStart start(Random random) {
    CanvasSpec.Builder canvas = CanvasSpec.newBuilder().setMaxLengthTokens(1 + random.nextInt(100));
    if (random.nextBoolean()) {
      canvas.setBlockLengthTokens(1 + random.nextInt(canvas.getMaxLengthTokens()));
    }
    GenerateStart.Builder start =
        GenerateStart.newBuilder()
            .setPrompt(Prompt.newBuilder().setText("x".repeat(1 + random.nextInt(20))))
            .setCanvas(canvas)
            .setSampling(sampling(random))
            .setStream(stream(random));
    if (random.nextInt(3) == 0) {
      byte[] text = TextScript.TEXT.getBytes(UTF_8);
      start.setStop(
          StopSpec.newBuilder()
              .addStopTexts(TextScript.TEXT.substring(14, 14 + 1 + random.nextInt(6)))
              .addStopTexts("nie und nimmer")
              .addStopTokenIds(
                  random.nextInt(4) == 0 ? text[random.nextInt(text.length)] & 0xff : 200));
    }
    return start.build();
  }

  private static SamplingSpec.Builder sampling(Random random) {
    SamplingSpec.Builder sampling = SamplingSpec.newBuilder().setSeed(random.nextLong());
    switch (random.nextInt(4)) {
      case 0 ->
          sampling.setConfidenceThreshold(
              ConfidenceThreshold.newBuilder().setThreshold(.3f + random.nextFloat() * .7f));
      case 1 ->
          sampling.setEntropyBound(EntropyBound.newBuilder().setBound(random.nextFloat() * 3));
      case 2 ->
          sampling.setFixedSchedule(
              FixedSchedule.newBuilder()
                  .setSteps(1 + random.nextInt(16))
                  .setOrderValue(random.nextInt(6)));
      default -> {}
    }
    if (random.nextBoolean()) {
      sampling.setRevision(
          Revision.newBuilder()
              .setRemaskThreshold(random.nextFloat() * .4f)
              .setMaxRevisionsPerToken(random.nextInt(3)));
    }
    return sampling;
  }

  private static StreamSpec stream(Random random) {
    StreamSpec.Builder stream =
        StreamSpec.newBuilder()
            .setDetail(
                random.nextInt(5) == 0
                    ? StreamSpec.Detail.forNumber(random.nextInt(3))
                    : StreamSpec.Detail.DETAIL_CANVAS)
            .setIncludeTokenIds(random.nextBoolean())
            .setIncludeConfidences(random.nextBoolean())
            .setMaxAlternatives(random.nextInt(4))
            .setIncludeRevisedTokens(random.nextBoolean());
    if (random.nextBoolean()) {
      stream.setKeyframeEveryNFrames(random.nextInt(4));
    }
    if (random.nextInt(3) == 0) {
      stream.setEveryNSteps(1 + random.nextInt(5));
    }
    return stream.build();
  }

  private static Segment.Builder locked(String text) {
    return Segment.newBuilder().setText(text).setMode(Segment.Mode.MODE_LOCKED);
  }

  private static Segment.Builder editable(Random random) {
    if (random.nextBoolean()) {
      return Segment.newBuilder().setBlankTokens(1 + random.nextInt(12));
    }
    Segment.Builder segment = Segment.newBuilder().setText("Entwurf für 🦊");
    if (random.nextBoolean()) {
      segment.setNoise(random.nextInt(5) / 4f);
    }
    return segment;
  }
}
