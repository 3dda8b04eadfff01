package io.sfumato.server.schedule;

/** What one session wants of the next step. */
interface StepDemand {

  int items();

  int tokens();

  int candidates();
}
