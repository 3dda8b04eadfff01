package io.sfumato.server.schedule;

/** What one session wants of the next step. */
interface StepDemand {

  /** Whether it wants to be in the step at all. */
  boolean wantsStep();

  int items();

  int tokens();

  int candidates();
}
