package io.sfumato.server.app.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchRequestTest {

  private static final String GOOD =
      "{\"kind\": \"sum\", \"request\": \"1 + 1?\", \"reference\": \"2\"}\n";

  @TempDir private Path directory;

  private Path file(String content) throws IOException {
    return Files.writeString(directory.resolve("requests.jsonl"), content);
  }

  @Test
  void readsOneRequestPerLine() throws IOException {
    assertThat(BenchRequest.read(file(GOOD + "\n" + GOOD), List.of(), 0))
        .containsExactly(
            new BenchRequest("sum", "1 + 1?", "2"), new BenchRequest("sum", "1 + 1?", "2"));
  }

  @Test
  void namesTheLineThatIsNoRequest() throws IOException {
    Path text = file(GOOD + "\nroot:x:0:0\n");
    assertThatIOException()
        .isThrownBy(() -> BenchRequest.read(text, List.of(), 0))
        .withMessageStartingWith(text + ":3: Unrecognized token 'root'")
        .withMessageEndingWith("(expected: an object with kind, request and reference)");
    Path incomplete = file("{\"kind\": \"sum\"}\n");
    assertThatIOException()
        .isThrownBy(() -> BenchRequest.read(incomplete, List.of(), 0))
        .withMessageStartingWith(incomplete + ":1: ");
    Path number = file("7\n");
    assertThatIOException()
        .isThrownBy(() -> BenchRequest.read(number, List.of(), 0))
        .withMessageStartingWith(number + ":1: ");
  }
}
