package io.sfumato.server.rpc;

import com.google.protobuf.util.Durations;
import io.sfumato.engine.EngineInfo;
import io.sfumato.server.model.ModelDefaults;
import io.sfumato.server.model.ModelEntry;
import io.sfumato.server.model.ServedModel;
import io.sfumato.server.sampling.AcceptanceSpec;
import io.sfumato.server.sampling.RevisionSpec;
import io.sfumato.server.sampling.TemperatureSchedule;
import io.sfumato.server.sampling.UniformNoise;
import io.sfumato.server.session.CacheMode;
import io.sfumato.server.session.FinishReason;
import io.sfumato.server.session.SessionEvent;
import io.sfumato.server.session.SessionSpec;
import io.sfumato.server.session.Template;
import io.sfumato.server.session.Timing;
import io.sfumato.server.session.Usage;
import io.sfumato.server.text.TextCodec;
import io.sfumato.v1.Accepted;
import io.sfumato.v1.ApproximateCache;
import io.sfumato.v1.CanvasSpec;
import io.sfumato.v1.Capabilities;
import io.sfumato.v1.ConfidenceThreshold;
import io.sfumato.v1.EntropyBound;
import io.sfumato.v1.FixedSchedule;
import io.sfumato.v1.JointEdit;
import io.sfumato.v1.Limits;
import io.sfumato.v1.Model;
import io.sfumato.v1.Progress;
import io.sfumato.v1.Revision;
import io.sfumato.v1.SamplingSpec;
import io.sfumato.v1.SlotValue;
import io.sfumato.v1.TokenState;
import java.util.Optional;

/** The server's values as messages of the contract. Pure. */
final class ProtoMapper {

  private ProtoMapper() {}

  static TokenState state(io.sfumato.server.canvas.TokenState state) {
    return switch (state) {
      case UNDECIDED -> TokenState.TOKEN_STATE_UNDECIDED;
      case PROVISIONAL -> TokenState.TOKEN_STATE_PROVISIONAL;
      case COMMITTED -> TokenState.TOKEN_STATE_COMMITTED;
      case PINNED -> TokenState.TOKEN_STATE_PINNED;
    };
  }

  static io.sfumato.v1.FinishReason finishReason(FinishReason reason) {
    return switch (reason) {
      case END_OF_TEXT -> io.sfumato.v1.FinishReason.FINISH_REASON_END_OF_TEXT;
      case STOP_TOKEN -> io.sfumato.v1.FinishReason.FINISH_REASON_STOP_TOKEN;
      case MAX_LENGTH -> io.sfumato.v1.FinishReason.FINISH_REASON_MAX_LENGTH;
      case STOP_TEXT -> io.sfumato.v1.FinishReason.FINISH_REASON_STOP_TEXT;
      case FINISHED_BY_CLIENT -> io.sfumato.v1.FinishReason.FINISH_REASON_FINISHED_BY_CLIENT;
      case SOFT_DEADLINE -> io.sfumato.v1.FinishReason.FINISH_REASON_SOFT_DEADLINE;
      case SERVER_DRAINING -> io.sfumato.v1.FinishReason.FINISH_REASON_SERVER_DRAINING;
    };
  }

  static Accepted accepted(SessionEvent.Accepted event, SessionPlan plan) {
    ServedModel model = plan.model();
    SessionSpec spec = plan.spec();
    boolean running = event.queuePosition() == 0;
    return Accepted.newBuilder()
        .setSessionId(event.sessionId())
        .setModel(model.name())
        .setModelDigest(model.digest())
        .setCanvas(canvas(spec.start().length(), spec.blockLength(), spec.windowLength()))
        .setSampling(sampling(spec.sampling(), spec.cache()))
        .setPromptTokens(spec.promptTokens().length)
        .setState(running ? Accepted.State.STATE_RUNNING : Accepted.State.STATE_QUEUED)
        .setQueuePosition(event.queuePosition())
        .build();
  }

  static Progress progress(SessionEvent.Progress event) {
    Progress.Builder progress = Progress.newBuilder();
    if (event.queuePosition() > 0) {
      progress.getQueuedBuilder().setQueuePosition(event.queuePosition());
    } else {
      progress.getRunningBuilder().setBlock(event.block()).setUndecidedTokens(event.undecided());
    }
    return progress.build();
  }

  static io.sfumato.v1.Usage usage(Usage usage) {
    return io.sfumato.v1.Usage.newBuilder()
        .setPromptTokens(usage.promptTokens())
        .setCanvasTokens(usage.canvasTokens())
        .setCommittedTokens(usage.committedTokens())
        .setCachedPromptTokens(usage.cachedPromptTokens())
        .setForwardPasses(usage.forwardPasses())
        .setTokenForwards(usage.tokenForwards())
        .setRevisions(usage.revisions())
        .build();
  }

  static io.sfumato.v1.Timing timing(Timing timing) {
    return io.sfumato.v1.Timing.newBuilder()
        .setQueueTime(Durations.fromNanos(timing.queueNanos()))
        .setTimeToFirstCanvas(Durations.fromNanos(timing.firstCanvasNanos()))
        .setTotalTime(Durations.fromNanos(timing.totalNanos()))
        .build();
  }

  static SlotValue slot(
      Template.Slot slot, io.sfumato.server.session.SlotValue value, TextCodec codec) {
    SlotValue.Builder message =
        SlotValue.newBuilder()
            .setName(slot.name())
            .setText(codec.decode(value.tokens()))
            .setLogProbability(value.logProbability());
    if (slot instanceof Template.ChoiceSlot choice) {
      for (int index = 0; index < value.optionLogProbabilities().length; index++) {
        message
            .addOptionsBuilder()
            .setText(choice.options().get(index).text())
            .setLogProbability(value.optionLogProbabilities()[index]);
      }
    }
    return message.build();
  }

  static Model model(ModelEntry entry, boolean isDefault) {
    Model.Builder model =
        Model.newBuilder()
            .setName(entry.name())
            .setState(
                switch (entry.state()) {
                  case LOADING -> Model.State.STATE_LOADING;
                  case READY -> Model.State.STATE_READY;
                  case FAILED -> Model.State.STATE_UNAVAILABLE;
                })
            .setStateMessage(entry.message())
            .setIsDefault(isDefault);
    entry.served().ifPresent(served -> describe(served, model));
    return model.build();
  }

  private static void describe(ServedModel served, Model.Builder model) {
    EngineInfo engine = served.engine();
    ModelDefaults defaults = served.defaults();
    int block = defaults.blockLength();
    boolean uniform = defaults.isUniform();
    model
        .setFamily(engine.family())
        .setDigest(served.digest())
        .setLimits(
            Limits.newBuilder()
                .setMaxContextTokens(engine.maxPositions())
                .setMaxCanvasTokens(engine.maxPositions())
                .setVocabularySize(engine.vocabulary())
                .setMaxBlockLengthTokens(defaults.longestBlock()))
        .setCapabilities(
            Capabilities.newBuilder()
                .setNoise(
                    uniform ? Capabilities.Noise.NOISE_UNIFORM : Capabilities.Noise.NOISE_MASK)
                .setTokenizer(served.text().isPresent())
                .setChat(served.text().isPresent() && served.text().get().hasChatTemplate())
                .setRefine(true)
                .setTemplates(
                    !uniform && served.text().isPresent() && defaults.endOfTextTokens().length > 0)
                .setRevision(!uniform)
                .setJointEdit(!uniform)
                .setGuidance(!defaults.encodesContext())
                .setApproximateCache(engine.approximateCache() && !defaults.blockCausal())
                .setFixedBlockLengthTokens(uniform ? block : 0)
                .setMaxAlternatives(served.mostAlternatives()))
        .setDefaultCanvas(
            canvas(
                defaults.maxLengthTokens(),
                block,
                defaults.windowLength() == 0 ? block : defaults.windowLength()))
        .setDefaultSampling(
            common(
                defaults.maxStepsPerBlock(),
                defaults.minAcceptPerStep(),
                defaults.temperature(),
                defaults.acceptance(),
                defaults.revision(),
                0,
                defaults.uniform(),
                CacheMode.NONE));
  }

  private static CanvasSpec canvas(int length, int block, int window) {
    return CanvasSpec.newBuilder()
        .setMaxLengthTokens(length)
        .setBlockLengthTokens(block)
        .setWindowLengthTokens(window)
        .build();
  }

  private static SamplingSpec sampling(
      io.sfumato.server.sampling.SamplingSpec spec, CacheMode cache) {
    return common(
            spec.maxStepsPerBlock(),
            spec.minAcceptPerStep(),
            spec.temperature(),
            spec.acceptance(),
            spec.revision(),
            spec.guidanceScale(),
            spec.uniform(),
            cache)
        .setSeed(spec.seed())
        .build();
  }

  private static SamplingSpec.Builder common(
      int maxSteps,
      int minAccept,
      TemperatureSchedule temperature,
      AcceptanceSpec acceptance,
      RevisionSpec revision,
      float guidance,
      Optional<UniformNoise> uniform,
      CacheMode cache) {
    SamplingSpec.Builder sampling =
        SamplingSpec.newBuilder()
            .setMaxStepsPerBlock(maxSteps)
            .setMinAcceptPerStep(minAccept)
            .setTopP(1)
            .setTopK(0)
            .setRepetitionPenalty(1)
            .setGuidanceScale(guidance)
            .setApproximateCache(cache(cache))
            .setRevision(
                Revision.newBuilder()
                    .setRemaskThreshold(revision.remaskThreshold())
                    .setMaxRevisionsPerToken(revision.maxRevisionsPerToken()));
    if (temperature.isConstant()) {
      sampling.setTemperature(temperature.first());
    } else {
      sampling
          .getTemperatureScheduleBuilder()
          .setFirst(temperature.first())
          .setLast(temperature.last());
    }
    uniform.ifPresent(noise ->
        sampling
            .getStabilityStopBuilder()
            .setStableSteps(noise.stableSteps())
            .setMeanEntropy(noise.meanEntropy()));
    switch (acceptance) {
      case AcceptanceSpec.FixedSchedule fixed ->
          sampling.setFixedSchedule(
              FixedSchedule.newBuilder()
                  .setSteps(fixed.stepsPerBlock())
                  .setOrder(order(fixed.order())));
      case AcceptanceSpec.ConfidenceThreshold threshold ->
          sampling.setConfidenceThreshold(
              ConfidenceThreshold.newBuilder().setThreshold(threshold.threshold()));
      case AcceptanceSpec.PacedThreshold paced ->
          sampling.setConfidenceThreshold(
              ConfidenceThreshold.newBuilder().setThreshold(paced.threshold()));
      case AcceptanceSpec.SeededThreshold seeded ->
          sampling.setConfidenceThreshold(
              ConfidenceThreshold.newBuilder().setThreshold(seeded.threshold()));
      case AcceptanceSpec.JointEdit edit ->
          sampling.setJointEdit(
              JointEdit.newBuilder()
                  .setThreshold(edit.threshold())
                  .setEditThreshold(edit.editThreshold())
                  .setPostEditSteps(edit.postEditSteps()));
      case AcceptanceSpec.EntropyBound bound ->
          sampling.setEntropyBound(EntropyBound.newBuilder().setBound(bound.bound()));
    }
    return sampling;
  }

  private static ApproximateCache cache(CacheMode cache) {
    return switch (cache) {
      case NONE -> ApproximateCache.APPROXIMATE_CACHE_NONE;
      case PREFIX -> ApproximateCache.APPROXIMATE_CACHE_PREFIX;
      case DUAL -> ApproximateCache.APPROXIMATE_CACHE_DUAL;
    };
  }

  private static FixedSchedule.Order order(AcceptanceSpec.Order order) {
    return switch (order) {
      case CONFIDENCE -> FixedSchedule.Order.ORDER_CONFIDENCE;
      case MARGIN -> FixedSchedule.Order.ORDER_MARGIN;
      case ENTROPY -> FixedSchedule.Order.ORDER_ENTROPY;
      case RANDOM -> FixedSchedule.Order.ORDER_RANDOM;
      case LEFTMOST -> FixedSchedule.Order.ORDER_LEFTMOST;
    };
  }
}
