package io.sfumato.server.session;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/** A client that is gone leaves nothing behind, whatever the engine was about to say. */
@JCStressTest
@Outcome(id = "nothing", expect = Expect.ACCEPTABLE, desc = "nothing is kept")
@Outcome(expect = Expect.FORBIDDEN, desc = "something is kept for nobody")
@State
public class NothingFollowsTheEnd {

  private final Outbox outbox = new Outbox(2);

  @Actor
  public void engine() {
    outbox.add(Samples.commitment(1));
    outbox.publish(Samples.canvas(1));
    outbox.add(Samples.commitment(2));
  }

  @Actor
  public void cancel() {
    outbox.close();
  }

  @Arbiter
  public void rest(L_Result result) {
    String rest = Samples.fetch(outbox, 3);
    result.r1 = rest.isEmpty() ? "nothing" : rest;
  }
}
