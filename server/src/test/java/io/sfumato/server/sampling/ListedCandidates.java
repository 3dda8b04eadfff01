package io.sfumato.server.sampling;

/** Candidates written down one by one, at positions 0, 1, 2, ... */
record ListedCandidates(float[] confidences, float[] margins, float[] entropies)
    implements CandidateView {

  static ListedCandidates ofConfidences(float... confidences) {
    return new ListedCandidates(
        confidences, new float[confidences.length], new float[confidences.length]);
  }

  static ListedCandidates ofEntropies(float... entropies) {
    return new ListedCandidates(
        new float[entropies.length], new float[entropies.length], entropies);
  }

  Ranking ranked(AcceptanceSpec.Order order) {
    Ranking ranking = new Ranking(count());
    ranking.rank(this, order, 1, 1, 0);
    return ranking;
  }

  @Override
  public int count() {
    return confidences.length;
  }

  @Override
  public int position(int index) {
    return index;
  }

  @Override
  public float confidence(int index) {
    return confidences[index];
  }

  @Override
  public float margin(int index) {
    return margins[index];
  }

  @Override
  public float entropy(int index) {
    return entropies[index];
  }
}
