package io.sfumato.server;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** Keeps the arrows of docs/design.md. */
final class ArchitectureTest {

  private static final String SERVER = "io.sfumato.server.";
  private static final String ENGINE = "io.sfumato.engine";

  /** What each package may use of ours; the JDK goes without saying. */
  private static final Map<String, List<String>> ARROWS =
      Map.of(
          "error", List.of(),
          "canvas", List.of(),
          "sampling", List.of("canvas"),
          "text", List.of("error"),
          "session", List.of("canvas", "sampling", "error"),
          "schedule", List.of("session", "canvas", "sampling", "error"),
          "model", List.of("schedule", "session", "sampling", "text", "error"),
          "verify", List.of("schedule", "session", "canvas", "sampling", "text", "error"),
          "rpc", List.of("model", "session", "canvas", "sampling", "text", "error"),
          "app",
              List.of(
                  "rpc",
                  "verify",
                  "model",
                  "schedule",
                  "session",
                  "canvas",
                  "sampling",
                  "text",
                  "error"));

  private static final Set<String> WITH_ENGINE =
      Set.of("session", "schedule", "model", "verify", "rpc", "app");
  private static final Set<String> WITH_GRPC = Set.of("rpc", "app");
  private static final Set<String> JDK_ONLY = Set.of("canvas", "sampling");

  private static final String[] GRPC = {
    "io.grpc..", "com.google.protobuf..", "com.google.rpc..", "io.sfumato.v1..", "io.netty.."
  };

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.sfumato.server", ENGINE);

  @Test
  void everyPackageHasItsArrows() {
    Set<String> packages = new TreeSet<>();
    for (JavaClass javaClass : CLASSES) {
      if (javaClass.getPackageName().startsWith(SERVER)) {
        String name = javaClass.getPackageName().substring(SERVER.length());
        packages.add(name.contains(".") ? name.substring(0, name.indexOf('.')) : name);
      }
    }
    assertThat(packages).isEqualTo(new TreeSet<>(ARROWS.keySet()));
  }

  @Test
  void packagesUseOnlyWhatTheirArrowsAllow() {
    ARROWS.forEach((name, targets) -> {
      List<String> allowed = new ArrayList<>();
      allowed.add(SERVER + name + "..");
      targets.forEach(target -> allowed.add(SERVER + target + ".."));
      if (WITH_ENGINE.contains(name)) {
        allowed.add(ENGINE);
      }
      noClasses()
          .that()
          .resideInAPackage(SERVER + name + "..")
          .should()
          .dependOnClassesThat(
              resideInAnyPackage("io.sfumato.server..", ENGINE + "..")
                  .and(DescribedPredicate.not(resideInAnyPackage(allowed.toArray(String[]::new)))))
          .check(CLASSES);
    });
  }

  @Test
  void packagesHaveNoCycles() {
    slices().matching("io.sfumato.server.(*)..").should().beFreeOfCycles().check(CLASSES);
  }

  @Test
  void canvasAndSamplingUseTheJdkOnly() {
    for (String name : JDK_ONLY) {
      classes()
          .that()
          .resideInAPackage(SERVER + name + "..")
          .should()
          .onlyDependOnClassesThat(
              resideInAnyPackage("java..", SERVER + "canvas..", SERVER + "sampling.."))
          .check(CLASSES);
    }
  }

  @Test
  void onlyTheEdgesKnowGrpc() {
    String[] edges = WITH_GRPC.stream().map(name -> SERVER + name + "..").toArray(String[]::new);
    noClasses()
        .that(
            resideInAnyPackage("io.sfumato..")
                .and(DescribedPredicate.not(resideInAnyPackage(edges))))
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(GRPC)
        .check(CLASSES);
  }

  @Test
  void onlyTheEngineKnowsJavaCpp() {
    noClasses()
        .that()
        .resideInAPackage("io.sfumato.server..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.bytedeco..", ENGINE + ".binding..")
        .check(CLASSES);
  }

  @Test
  void theEngineKnowsNothingOfTheServer() {
    noClasses()
        .that()
        .resideInAPackage(ENGINE + "..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.sfumato.server..")
        .check(CLASSES);
  }

  @Test
  void timeIsInjectedOutsideApp() {
    noClasses()
        .that()
        .resideOutsideOfPackage(SERVER + "app..")
        .should()
        .callMethod(System.class, "currentTimeMillis")
        .orShould()
        .callMethod(System.class, "nanoTime")
        .orShould()
        .callMethod(Instant.class, "now")
        .orShould()
        .callMethodWhere(on(Clock.class, "system"))
        .orShould()
        .callMethodWhere(on(Thread.class, "sleep"))
        .orShould()
        .callMethodWhere(on(CompletableFuture.class, "supplyAsync"))
        .orShould()
        .callMethodWhere(on(CompletableFuture.class, "runAsync"))
        .check(CLASSES);
  }

  @Test
  void noStateIsStaticOutsideApp() {
    fields()
        .that()
        .areStatic()
        .and()
        .areDeclaredInClassesThat(
            resideInAnyPackage("io.sfumato..")
                .and(
                    DescribedPredicate.not(
                        resideInAnyPackage(SERVER + "app..", ENGINE + ".binding.."))))
        .should()
        .beFinal()
        .check(CLASSES);
  }

  @Test
  void concreteClassesAreFinal() {
    classes()
        .that(
            DescribedPredicate.<JavaClass>describe(
                "are concrete and not generated",
                javaClass ->
                    !javaClass.isInterface()
                        && !javaClass.isEnum()
                        && !javaClass.isAnonymousClass()
                        && !javaClass.getModifiers().contains(JavaModifier.ABSTRACT)
                        && !javaClass.getPackageName().startsWith(ENGINE + ".binding")
                        && !javaClass.getName().equals(ENGINE + ".EngineBinding")))
        .should()
        .haveModifier(JavaModifier.FINAL)
        .check(CLASSES);
  }

  private static DescribedPredicate<JavaAccess<?>> on(Class<?> owner, String prefix) {
    return DescribedPredicate.describe(
        owner.getSimpleName() + "." + prefix,
        access ->
            access.getTargetOwner().isEquivalentTo(owner) && access.getName().startsWith(prefix));
  }
}
