package io.sfumato.server.sampling;

/**
 * What the model proposes for the undecided positions among which a step may accept, in ascending
 * order of position.
 *
 * <p>A window on the engine's own arrays: valid during one decision only, confined to the engine
 * thread. Figures may be NaN when a model misbehaves; a NaN ranks last and never passes a
 * threshold.
 */
public interface CandidateView {

  int count();

  /** Position in the sequence, prompt included. */
  int position(int index);

  /** Probability of the sampled token. */
  float confidence(int index);

  /** Probability of the best token less that of the runner-up. */
  float margin(int index);

  /** Entropy in nats. */
  float entropy(int index);
}
