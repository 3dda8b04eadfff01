package io.sfumato.server.session;

import io.sfumato.server.error.ServingException;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Expect;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.ZZ_Result;

/** Of two controls for the last place in the queue one is refused. */
@JCStressTest
@Outcome(
    id = {"true, false", "false, true"},
    expect = Expect.ACCEPTABLE,
    desc = "one of them")
@Outcome(expect = Expect.FORBIDDEN, desc = "both or none")
@State
public class OnePlaceTakesOneControl {

  private final ControlQueue queue = new ControlQueue();

  public OnePlaceTakesOneControl() {
    for (int number = 1; number < ControlQueue.CAPACITY; number++) {
      queue.offer(Samples.control(number));
    }
  }

  @Actor
  public void one(ZZ_Result result) {
    result.r1 = accepts(100);
  }

  @Actor
  public void another(ZZ_Result result) {
    result.r2 = accepts(200);
  }

  private boolean accepts(int number) {
    try {
      queue.offer(Samples.control(number));
      return true;
    } catch (ServingException full) {
      return false;
    }
  }
}
