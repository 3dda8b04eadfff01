package io.sfumato.server.session;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/**
 * However slowly the client fetches: commitments come all and in order, the canvas in its place.
 */
@JCStressTest
@Outcome(id = "1a2", expect = Expect.ACCEPTABLE, desc = "everything in its place")
@Outcome(id = "12a", expect = Expect.FORBIDDEN, desc = "the canvas came late")
@Outcome(expect = Expect.FORBIDDEN, desc = "something was lost or came twice")
@State
public class CommitmentsAreNeverLost {

  private final Outbox outbox = new Outbox(2);
  private String fetched;

  @Actor
  public void engine() {
    outbox.add(Samples.commitment(1));
    outbox.publish(Samples.canvas(1));
    outbox.add(Samples.commitment(2));
  }

  @Actor
  public void client() {
    fetched = Samples.fetch(outbox, 3);
  }

  @Arbiter
  public void rest(L_Result result) {
    result.r1 = fetched + Samples.fetch(outbox, 3);
  }
}
