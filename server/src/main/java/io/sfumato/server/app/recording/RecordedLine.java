package io.sfumato.server.app.recording;

import com.google.protobuf.Message;

/**
 * One line of a recording. Immutable.
 *
 * @param number of the line in its file, from 1
 * @param nanos since the request
 * @param message a {@code GenerateStart}, {@code RefineStart}, {@code Control}, {@code Event}, or,
 *     at the end of the call, {@code Status}
 */
public record RecordedLine(int number, long nanos, Message message) {}
