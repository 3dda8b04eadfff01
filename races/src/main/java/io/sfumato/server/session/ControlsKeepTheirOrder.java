package io.sfumato.server.session;

import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/** Controls are applied once, in the order in which they were sent. */
@JCStressTest
@Outcome(id = "12", expect = Expect.ACCEPTABLE, desc = "both in order")
@Outcome(expect = Expect.FORBIDDEN, desc = "lost, doubled or overtaken")
@State
public class ControlsKeepTheirOrder {

  private final ControlQueue queue = new ControlQueue();
  private String taken;

  @Actor
  public void client() {
    queue.offer(Samples.control(1));
    queue.offer(Samples.control(2));
  }

  @Actor
  public void engine() {
    taken = Samples.take(queue, 2);
  }

  @Arbiter
  public void rest(L_Result result) {
    result.r1 = taken + Samples.take(queue, 2);
  }
}
