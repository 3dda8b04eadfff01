package io.sfumato.server.sampling;

/**
 * Opening tokens again that the model has come to doubt.
 *
 * @param remaskThreshold a provisional token whose own probability falls below this is opened
 *     again: 0..1; 0 never
 * @param maxRevisionsPerToken how often one position may be opened again: 0..255
 */
public record RevisionSpec(float remaskThreshold, int maxRevisionsPerToken) {

  /** Never opens a token again. */
  public static final RevisionSpec NONE = new RevisionSpec(0, 0);

  public boolean enabled() {
    return remaskThreshold > 0 && maxRevisionsPerToken > 0;
  }
}
