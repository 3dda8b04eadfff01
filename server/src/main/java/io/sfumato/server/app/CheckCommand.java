package io.sfumato.server.app;

import io.sfumato.engine.EngineDevice;
import io.sfumato.engine.EngineInfo;
import io.sfumato.server.model.EngineFactory;
import io.sfumato.server.model.LoadedModel;
import io.sfumato.server.model.ModelDefaults;
import io.sfumato.server.model.ModelLoader;
import io.sfumato.server.model.ModelSource;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * {@code sfumato check}: loads a model directory and tells what is in it, or all that is wrong with
 * it. Lives on the main thread.
 */
@Command(
    name = "check",
    description =
        "Loads a model directory as a server would, and prints its facts or everything that is"
            + " wrong with it.",
    mixinStandardHelpOptions = true)
final class CheckCommand implements Callable<Integer> {

  private final EngineFactory engines;

  @Spec private CommandSpec spec;

  @Option(
      names = "--mask-token-id",
      paramLabel = "ID",
      description = "For models whose files name none.")
  private int maskTokenId = -1;

  @Mixin private EngineChoice choice;

  @Parameters(
      paramLabel = "DIR",
      description = "Hugging Face layout: config.json, safetensors, tokenizer.json.")
  private Path directory;

  CheckCommand(EngineFactory engines) {
    this.engines = engines;
  }

  @Override
  public Integer call() throws InterruptedException {
    PrintWriter out = spec.commandLine().getOut();
    ModelSource usual = ModelSource.of("check", directory);
    ModelSource source =
        new ModelSource(
            usual.name(),
            directory,
            0,
            choice.products(),
            choice.device(),
            usual.slots(),
            0,
            usual.queueCapacity(),
            usual.prefixCacheTokens(),
            maskTokenId,
            usual.approximateCacheMebibytes());
    long start = System.nanoTime();
    ModelLoader loader = new ModelLoader(engines, System::nanoTime, Clock.systemUTC(), "");
    try (LoadedModel model = loader.load(source, () -> {})) {
      double seconds = (System.nanoTime() - start) / 1e9;
      print(out, model, seconds);
    }
    out.flush();
    return 0;
  }

  private void print(PrintWriter out, LoadedModel model, double seconds) {
    EngineInfo engine = model.served().engine();
    ModelDefaults defaults = model.served().defaults();
    fact(out, "directory", directory);
    fact(out, "digest", model.served().digest());
    fact(
        out,
        "family",
        engine.family() + ", " + engine.layers() + " layers x " + engine.hiddenSize());
    fact(
        out,
        "parameters",
        String.format(
            Locale.ROOT,
            "%,d (%,d MiB in memory)",
            engine.parameters(),
            engine.weightBytes() >> 20));
    fact(out, "state", String.format(Locale.ROOT, "%,d MiB", engine.stateBytes() >> 20));
    printDevice(out, engine.device());
    fact(out, "context", engine.maxPositions() + " tokens, vocabulary " + engine.vocabulary());
    fact(out, "attention", engine.attention().name().toLowerCase(Locale.ROOT));
    fact(
        out,
        "special ids",
        "mask "
            + engine.maskTokenId()
            + ", pad "
            + engine.padTokenId()
            + ", end of text "
            + Arrays.toString(defaults.endOfTextTokens()));
    fact(
        out,
        "kernels",
        engine.instructionSet()
            + ", products "
            + engine.products()
            + ", "
            + engine.threads()
            + " threads");
    fact(
        out,
        "tokenizer",
        model
            .served()
            .text()
            .map(codec ->
                codec.vocabulary()
                    + " tokens, chat template: "
                    + (codec.hasChatTemplate() ? "yes" : "no"))
            .orElse("none"));
    fact(
        out,
        "canvas",
        defaults.maxLengthTokens()
            + " tokens in blocks of "
            + defaults.blockLength()
            + (defaults.windowLength() > 0 ? ", window " + defaults.windowLength() : ""));
    fact(
        out,
        "decoding",
        defaults.acceptance()
            + ", "
            + defaults.revision()
            + ", at most "
            + defaults.maxStepsPerBlock()
            + " steps per block, temperature "
            + (defaults.temperature().isConstant()
                ? defaults.temperature().first()
                : defaults.temperature().first() + " to " + defaults.temperature().last()));
    model.warnings().forEach(warning -> fact(out, "note", warning));
    fact(out, "loaded in", String.format(Locale.ROOT, "%.2f s", seconds));
  }

  private static void printDevice(PrintWriter out, EngineDevice device) {
    String memory =
        device.reservedBytes() == 0
            ? ""
            : String.format(
                Locale.ROOT,
                ", %,d of %,d free MiB taken",
                device.reservedBytes() >> 20,
                device.freeBytes() >> 20);
    fact(out, "device", device.name() + memory);
    if (!device.note().isEmpty()) {
      fact(out, "no GPU", device.note());
    }
  }

  private static void fact(PrintWriter out, String name, Object value) {
    out.printf("%-12s %s%n", name, value);
  }
}
