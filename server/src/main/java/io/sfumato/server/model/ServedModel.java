package io.sfumato.server.model;

import io.sfumato.engine.EngineInfo;
import io.sfumato.server.session.SessionGate;
import io.sfumato.server.text.TextCodec;
import java.util.Optional;

/**
 * A model that is ready to serve. Immutable and thread-safe.
 *
 * @param name as clients ask for it
 * @param digest identity of config and weights, hexadecimal
 * @param text empty for a model directory without a tokenizer: it is served by token ids
 * @param mostAlternatives tokens that may be asked for with each position of a canvas
 * @param sessions where its sessions are opened
 */
public record ServedModel(
    String name,
    String digest,
    EngineInfo engine,
    ModelDefaults defaults,
    Optional<TextCodec> text,
    int mostAlternatives,
    SessionGate sessions) {}
