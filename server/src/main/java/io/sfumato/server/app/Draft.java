package io.sfumato.server.app;

import io.sfumato.v1.Segment;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The small language in which a draft is written on the command line: plain text is locked, {@code
 * [text]} may be changed, {@code [_12]} is a blank of 12 tokens, and {@code \[} is a bracket.
 * Stateless and thread-safe.
 */
final class Draft {

  private static final Pattern PART =
      Pattern.compile(
          "\\[_(\\d{1,6})]|\\[((?:\\\\.|[^\\]\\\\])*)]|((?:\\\\.|[^\\[\\\\]|\\\\$)+)",
          Pattern.DOTALL);

  private Draft() {}

  /**
   * @param noise share of the tokens of changeable parts to open again, 0..1
   * @throws IllegalArgumentException when a bracket is not closed
   */
  static List<Segment> segments(String draft, float noise) {
    List<Segment> segments = new ArrayList<>();
    Matcher matcher = PART.matcher(draft);
    int end = 0;
    while (matcher.lookingAt()) {
      if (matcher.group(1) != null) {
        segments.add(
            Segment.newBuilder().setBlankTokens(Integer.parseInt(matcher.group(1))).build());
      } else if (matcher.group(2) != null) {
        segments.add(
            Segment.newBuilder()
                .setText(plain(matcher.group(2)))
                .setMode(Segment.Mode.MODE_EDITABLE)
                .setNoise(noise)
                .build());
      } else {
        segments.add(
            Segment.newBuilder()
                .setText(plain(matcher.group(3)))
                .setMode(Segment.Mode.MODE_LOCKED)
                .build());
      }
      end = matcher.end();
      matcher.region(end, draft.length());
    }
    if (end < draft.length()) {
      throw new IllegalArgumentException(
          "draft: [ at " + end + " (expected: a ] after it, or \\[)");
    }
    return segments;
  }

  private static String plain(String escaped) {
    return escaped.replaceAll("\\\\([\\[\\]\\\\])", "$1");
  }
}
