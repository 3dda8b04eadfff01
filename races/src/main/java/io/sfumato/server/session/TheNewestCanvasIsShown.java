package io.sfumato.server.session;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/** An older canvas may be dropped, the newest never, and none comes after a newer one. */
@JCStressTest
@Outcome(id = "ab", expect = Expect.ACCEPTABLE, desc = "both in order")
@Outcome(id = "b", expect = Expect.ACCEPTABLE, desc = "the older one was dropped")
@Outcome(expect = Expect.FORBIDDEN, desc = "the newest was lost or overtaken")
@State
public class TheNewestCanvasIsShown {

  private final Outbox outbox = new Outbox(1);
  private String fetched;

  @Actor
  public void engine() {
    outbox.publish(Samples.canvas(1));
    outbox.publish(Samples.canvas(2));
  }

  @Actor
  public void client() {
    fetched = Samples.fetch(outbox, 2);
  }

  @Arbiter
  public void rest(L_Result result) {
    result.r1 = fetched + Samples.fetch(outbox, 2);
  }
}
