package io.sfumato.server.app.bench;

import io.grpc.Channel;
import io.grpc.StatusException;
import io.grpc.stub.BlockingClientCall;
import io.sfumato.v1.Control;
import io.sfumato.v1.EditSpan;
import io.sfumato.v1.Event;
import io.sfumato.v1.Finished;
import io.sfumato.v1.GenerateRequest;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.GenerateTextRequest;
import io.sfumato.v1.GenerateTextResponse;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.PositionRange;
import io.sfumato.v1.RefineStart;
import io.sfumato.v1.Segment;
import io.sfumato.v1.StreamSpec;
import io.sfumato.v1.TokenIds;
import java.util.List;
import java.util.Optional;

/**
 * One request written without steering, and again with a token of the client's in it: from the
 * start, from some step on, or in the finished text. All with the same seed. Confined to one
 * thread.
 */
final class SteeredStory {

  private final Channel channel;
  private final GenerateStart start;

  /**
   * @param start whose settings all ways share
   */
  SteeredStory(Channel channel, GenerateStart start) {
    this.channel = channel;
    this.start =
        start.toBuilder().setStream(StreamSpec.newBuilder().setIncludeTokenIds(true)).build();
  }

  /** Without steering. */
  GenerateTextResponse plain() {
    return GenerationServiceGrpc.newBlockingStub(channel)
        .generateText(GenerateTextRequest.newBuilder().setStart(start).build());
  }

  /** With tokens pinned before the first step. */
  Finished pinnedAtStart(StoryNames.Mention pin, int canvasLength)
      throws InterruptedException, StatusException {
    RefineStart.Builder refine = refine(canvasLength);
    addBlank(refine, pin.position());
    refine.addSegments(locked(pin));
    addBlank(refine, canvasLength - pin.position() - pin.tokens().size());
    return WholeCalls.refine(channel, refine.build());
  }

  /**
   * With an edit when a step was shown; empty when it came too late.
   *
   * @param step steps done when the client sends it, from 1
   */
  Optional<Finished> pinnedAtStep(StoryNames.Mention pin, int step)
      throws InterruptedException, StatusException {
    BlockingClientCall<GenerateRequest, Event> call =
        GenerationServiceGrpc.newBlockingV2Stub(channel).generate();
    GenerateStart.Builder shown = start.toBuilder();
    shown.getStreamBuilder().setDetail(StreamSpec.Detail.DETAIL_CANVAS);
    call.write(GenerateRequest.newBuilder().setStart(shown).build());
    boolean sent = false;
    boolean applied = false;
    Finished finished = null;
    for (Event event = call.read(); event != null; event = call.read()) {
      if (!sent && event.getStep() >= step) {
        sent = true;
        GenerateRequest request = GenerateRequest.newBuilder().setControl(edit(pin)).build();
        if (WholeCalls.send(call, request)) {
          call.halfClose();
        }
      }
      applied |= event.hasControlApplied();
      finished = event.hasFinished() ? event.getFinished() : finished;
    }
    if (finished == null) {
      throw WholeCalls.unfinished();
    }
    return applied ? Optional.of(finished) : Optional.empty();
  }

  /**
   * With tokens put into the finished text, the rest of which is open to change.
   *
   * @param noise share of the rest that is opened again, 0..1
   */
  Finished editedAfterwards(
      StoryNames.Mention pin, List<Integer> text, float noise, int canvasLength)
      throws InterruptedException, StatusException {
    RefineStart.Builder refine = refine(canvasLength);
    int end = pin.position() + pin.tokens().size();
    addEditable(refine, text.subList(0, pin.position()), noise);
    refine.addSegments(locked(pin));
    addEditable(refine, text.subList(end, text.size()), noise);
    return WholeCalls.refine(channel, refine.build());
  }

  private RefineStart.Builder refine(int canvasLength) {
    RefineStart.Builder refine =
        RefineStart.newBuilder()
            .setModel(start.getModel())
            .setInstruction(start.getPrompt())
            .setCanvas(start.getCanvas())
            .setSampling(start.getSampling())
            .setStream(start.getStream());
    refine.getCanvasBuilder().setMaxLengthTokens(canvasLength);
    return refine;
  }

  private static Control edit(StoryNames.Mention pin) {
    return Control.newBuilder()
        .setControlId(1)
        .setEditSpan(
            EditSpan.newBuilder()
                .setRange(
                    PositionRange.newBuilder()
                        .setStart(pin.position())
                        .setLength(pin.tokens().size()))
                .setTokenIds(ids(pin.tokens())))
        .build();
  }

  private static Segment locked(StoryNames.Mention pin) {
    return Segment.newBuilder()
        .setMode(Segment.Mode.MODE_LOCKED)
        .setTokenIds(ids(pin.tokens()))
        .build();
  }

  private static void addEditable(RefineStart.Builder refine, List<Integer> tokens, float noise) {
    if (!tokens.isEmpty()) {
      refine.addSegments(
          Segment.newBuilder()
              .setMode(Segment.Mode.MODE_EDITABLE)
              .setNoise(noise)
              .setTokenIds(ids(tokens)));
    }
  }

  private static void addBlank(RefineStart.Builder refine, int length) {
    if (length > 0) {
      refine.addSegments(
          Segment.newBuilder().setMode(Segment.Mode.MODE_EDITABLE).setBlankTokens(length));
    }
  }

  private static TokenIds ids(List<Integer> tokens) {
    return TokenIds.newBuilder().addAllIds(tokens).build();
  }
}
