package io.sfumato.server.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.protobuf.TextFormat;
import com.google.protobuf.TextFormat.ParseException;
import io.sfumato.engine.Candidates;
import io.sfumato.engine.StepBatch;
import io.sfumato.server.text.ByteCodec;
import io.sfumato.v1.Finished;
import io.sfumato.v1.GenerateStart;
import io.sfumato.v1.GenerateTextRequest;
import io.sfumato.v1.GenerationServiceGrpc;
import io.sfumato.v1.SlotOption;
import io.sfumato.v1.SlotValue;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A JSON skeleton through a whole server. */
class TemplateCallTest {

  private static final String TEXT = "Ida\"; no more";

  /** A model that writes one text in every slot and likes the letters of one word. */
  private static void propose(long run, StepBatch batch, Candidates candidates) {
    int undecided = 0;
    int before = -1;
    for (int row = 0; row < batch.candidateCount(); row++) {
      int position = batch.candidateRows()[row];
      undecided = position == before + 1 ? undecided + 1 : 0;
      before = position;
      int probe = batch.candidateTokens()[row];
      float liked = "\"blue".indexOf(probe) >= 0 ? .9f : .1f;
      int token = undecided < TEXT.length() ? TEXT.charAt(undecided) : ByteCodec.END;
      candidates.set(row, token, .95f, token, .95f, .01f, .1f, probe < 0 ? 1 : liked);
    }
  }

  private static GenerateTextRequest request() throws ParseException {
    return GenerateTextRequest.newBuilder()
        .setStart(
            TextFormat.parse(
                """
                prompt { text: "Who?" }
                canvas {
                  template {
                    parts { fixed_text: "{\\"name\\": \\"" }
                    parts { free_slot { name: "name" length_tokens: 8 end_before: "\\"\\\\" } }
                    parts { fixed_text: "\\", \\"colour\\": " }
                    parts { choice_slot { name: "colour" options: "\\"red\\"" options: "\\"blue\\"" options: "null" } }
                    parts { fixed_text: "}" }
                  }
                }
                sampling { seed: 1 revision { remask_threshold: 0 } }
                """,
                GenerateStart.class))
        .build();
  }

  @Test
  void theTextIsTheSkeletonWithItsSlotsFilled() throws IOException, ParseException {
    try (RpcFixture fixture =
        new RpcFixture(RpcFixture.Transport.NETTY, TemplateCallTest::propose)) {
      Finished finished =
          GenerationServiceGrpc.newBlockingStub(fixture.channel)
              .generateText(request())
              .getFinished();
      assertThat(finished.getText()).isEqualTo("{\"name\": \"Ida\", \"colour\": \"blue\"}");
      JsonNode json = JsonMapper.shared().readTree(finished.getText());
      assertThat(json.path("name").asString()).isEqualTo("Ida");
      SlotValue name = finished.getSlots(0);
      assertThat(name.getName()).isEqualTo("name");
      assertThat(name.getText()).isEqualTo("Ida");
      assertThat(name.getLogProbability()).isCloseTo(3 * Math.log(.95), within(1e-6));
      assertThat(name.getOptionsList()).isEmpty();
      SlotValue colour = finished.getSlots(1);
      assertThat(colour.getText()).isEqualTo("\"blue\"");
      assertThat(colour.getOptionsList())
          .extracting(SlotOption::getText)
          .containsExactly("\"red\"", "\"blue\"", "null");
      assertThat(
              colour.getOptionsList().stream()
                  .mapToDouble(option -> Math.exp(option.getLogProbability()))
                  .sum())
          .isCloseTo(1, within(1e-6));
      assertThat(colour.getLogProbability()).isEqualTo(colour.getOptions(1).getLogProbability());
    }
  }
}
