package io.sfumato.server.app.bench;

import io.grpc.Channel;
import io.sfumato.server.app.Link;
import io.sfumato.server.app.ServerChoice;
import io.sfumato.server.model.EngineFactory;
import io.sfumato.v1.Finished;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.GenerateTextResponse;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

/**
 * {@code sfumato bench steering}: gives the heroes of stories another name and looks whether the
 * whole story follows. Lives on the main thread.
 */
@Command(
    name = "steering",
    mixinStandardHelpOptions = true,
    description =
        "Pins another name for a story's hero, at the start, at a random step, and in the finished"
            + " text; writes one JSON line per answer, for models/recipe/score.py.")
final class BenchSteering implements Callable<Integer> {

  private static final String PLAIN = "plain";
  private static final String AT_START = "pin at step 0";
  private static final String AT_STEP = "pin at a random step";
  private static final String AFTERWARDS = "edit of the finished text";
  private static final List<String> WAYS = List.of(PLAIN, AT_START, AT_STEP, AFTERWARDS);

  private final EngineFactory engines;

  @Spec private CommandSpec spec;

  @Mixin private ServerChoice server;

  @Mixin private SamplingOptions sampling;

  @Mixin private Workload workload;

  @Option(
      names = "--names",
      required = true,
      paramLabel = "NAME,NAME...",
      description = "names that may stand for each other; repeatable")
  private List<String> names;

  @Option(
      names = "--noise",
      defaultValue = "0.5",
      description = "share of the finished text to open again (default: ${DEFAULT-VALUE})")
  private float noise;

  @Option(
      names = "--out",
      required = true,
      description = "JSON lines with kind, request, reference, text, passes, run and the pin")
  private Path out;

  BenchSteering(EngineFactory engines) {
    this.engines = engines;
  }

  /**
   * One text.
   *
   * @param pinned the hero's name as the client wants it; the model's own for the plain text
   * @param follows whether the story has that name and not the other
   * @param step steps done before the pin was sent
   */
  private record Answer(
      String way, Finished finished, String pinned, String replaced, int step, boolean follows) {}

  /** What came of a request; no answers when its hero has no name that can be replaced. */
  private record Story(BenchRequest request, List<Answer> answers) {}

  @Override
  public Integer call() throws Exception {
    List<List<String>> groups = groups();
    int limit = workload.limit(100);
    try (Link link = server.open(engines);
        ExecutorService pool = Executors.newFixedThreadPool(workload.concurrency());
        PrintWriter writer = new PrintWriter(Files.newBufferedWriter(out))) {
      StoryNames known = new StoryNames(groups, text -> tokens(link.channel(), text));
      List<BenchRequest> work =
          workload.read(0, List.of("story")).stream()
              .filter(request -> !known.isNamedIn(request.request()))
              .limit(limit == 0 ? Long.MAX_VALUE : limit)
              .toList();
      List<Future<Story>> running = new ArrayList<>();
      for (BenchRequest request : work) {
        Random random = new Random(workload.seed() * 1_000_003 + running.size());
        running.add(pool.submit(() -> steer(link.channel(), known, request, random)));
      }
      List<Story> stories = new ArrayList<>();
      for (Future<Story> each : running) {
        stories.add(each.get());
        write(writer, stories.getLast());
      }
      print(stories);
    }
    return 0;
  }

  private List<List<String>> groups() {
    List<List<String>> groups = new ArrayList<>();
    for (String group : names) {
      List<String> members = Stream.of(group.split(",")).filter(name -> !name.isBlank()).toList();
      if (members.size() < 2) {
        throw new ParameterException(
            spec.commandLine(), "--names: " + group + " (expected: two names at least)");
      }
      groups.add(members);
    }
    return groups;
  }

  private List<Integer> tokens(Channel channel, String text) {
    return Tokens.of(channel, server.model(), text);
  }

  private Story steer(Channel channel, StoryNames known, BenchRequest request, Random random)
      throws Exception {
    GenerateStart.Builder start =
        GenerateStart.newBuilder().setModel(server.model()).setPrompt(request.prompt());
    sampling.apply(start.getCanvasBuilder(), start.getSamplingBuilder(), workload.seed());
    SteeredStory story = new SteeredStory(channel, start.build());
    GenerateTextResponse plain = story.plain();
    Finished finished = plain.getFinished();
    Optional<StoryNames.Mention> hero = known.first(finished.getText(), finished.getTokenIdsList());
    Optional<StoryNames.Mention> pin =
        hero.flatMap(mention -> known.another(mention, finished.getText(), random));
    if (pin.isEmpty()) {
      return new Story(request, List.of());
    }
    String old = hero.get().name();
    String wanted = pin.get().name();
    int length = plain.getAccepted().getCanvas().getMaxLengthTokens();
    List<Answer> answers = new ArrayList<>();
    answers.add(new Answer(PLAIN, finished, old, wanted, 0, true));
    answers.add(answer(AT_START, story.pinnedAtStart(pin.get(), length), wanted, old, 0));
    int step = 1 + random.nextInt(Math.max(1, finished.getUsage().getForwardPasses() - 2));
    story
        .pinnedAtStep(pin.get(), step)
        .ifPresent(text -> answers.add(answer(AT_STEP, text, wanted, old, step)));
    Finished edited = story.editedAfterwards(pin.get(), finished.getTokenIdsList(), noise, length);
    answers.add(answer(AFTERWARDS, edited, wanted, old, finished.getUsage().getForwardPasses()));
    return new Story(request, answers);
  }

  private static Answer answer(
      String way, Finished finished, String pinned, String replaced, int step) {
    boolean follows =
        StoryNames.count(finished.getText(), pinned) > 0
            && StoryNames.count(finished.getText(), replaced) == 0;
    return new Answer(way, finished, pinned, replaced, step, follows);
  }

  private static void write(PrintWriter writer, Story story) {
    for (Answer answer : story.answers()) {
      ObjectNode row = story.request().row(answer.finished());
      row.put("run", answer.way());
      row.put("pinned", answer.pinned());
      row.put("replaced", answer.replaced());
      row.put("pinned_at_step", answer.step());
      row.put("follows", answer.follows());
      writer.println(row);
    }
  }

  private void print(List<Story> stories) {
    List<Answer> all = stories.stream().flatMap(story -> story.answers().stream()).toList();
    long unnamed = stories.stream().filter(story -> story.answers().isEmpty()).count();
    System.out.printf(
        "%d requests that name nobody, %d of them without a hero to rename%n%n",
        stories.size(), unnamed);
    System.out.println(
        "| name | texts | the pinned name alone is used | pinned name, times per text | passes |");
    System.out.println("|---|---|---|---|---|");
    for (String way : WAYS) {
      List<Answer> answers = all.stream().filter(answer -> answer.way().equals(way)).toList();
      System.out.printf(
          Locale.ROOT,
          "| %s | %d | %.3f | %.2f | %.1f |%n",
          way,
          answers.size(),
          answers.stream().mapToInt(answer -> answer.follows() ? 1 : 0).average().orElse(0),
          answers.stream()
              .mapToInt(answer -> StoryNames.count(answer.finished().getText(), answer.pinned()))
              .average()
              .orElse(0),
          answers.stream()
              .mapToInt(answer -> answer.finished().getUsage().getForwardPasses())
              .average()
              .orElse(0));
    }
  }
}
