package io.sfumato.server.rpc;

import io.sfumato.server.model.ServedModel;
import io.sfumato.server.session.SessionSpec;
import io.sfumato.server.text.StopMatcher;

/** A checked request: what to run and what to show of it. Immutable. */
record SessionPlan(ServedModel model, SessionSpec spec, StopMatcher stops, StreamSettings stream) {}
