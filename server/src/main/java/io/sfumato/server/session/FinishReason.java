package io.sfumato.server.session;

/** Why a session ended well. */
public enum FinishReason {
  END_OF_TEXT,
  STOP_TOKEN,
  MAX_LENGTH,
  STOP_TEXT,
  FINISHED_BY_CLIENT,
  SOFT_DEADLINE,
  SERVER_DRAINING
}
