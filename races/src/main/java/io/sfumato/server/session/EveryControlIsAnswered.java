package io.sfumato.server.session;

import io.sfumato.server.error.ServingException;
import java.util.List;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.L_Result;

/**
 * A control that comes just when its session ends is applied, left over or refused: one of them.
 */
@JCStressTest
@Outcome(id = "applied", expect = Expect.ACCEPTABLE, desc = "it came before the last step")
@Outcome(
    id = "left",
    expect = Expect.ACCEPTABLE,
    desc = "it came after it, and is answered at the end")
@Outcome(id = "refused", expect = Expect.ACCEPTABLE, desc = "it came too late")
@Outcome(expect = Expect.FORBIDDEN, desc = "no answer, or more than one")
@State
public class EveryControlIsAnswered {

  private final ControlQueue queue = new ControlQueue();
  private String refused = "";
  private String answered = "";

  @Actor
  public void client() {
    try {
      queue.offer(Samples.control(1));
    } catch (ServingException tooLate) {
      refused = "refused";
    }
  }

  @Actor
  public void engine() {
    String applied = queue.poll() == null ? "" : "applied";
    List<Control> left = queue.close();
    answered = applied + (left.isEmpty() ? "" : "left");
  }

  @Arbiter
  public void rest(L_Result result) {
    result.r1 = answered + refused + Samples.take(queue, 1);
  }
}
