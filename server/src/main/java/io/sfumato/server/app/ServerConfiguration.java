package io.sfumato.server.app;

import io.sfumato.server.model.ModelSource;
import io.sfumato.server.rpc.RpcSettings;
import java.util.List;

/**
 * Everything a server is told when it starts. Immutable.
 *
 * @param models at least one; the first is what an empty model name means
 */
record ServerConfiguration(RpcSettings rpc, List<ModelSource> models, Drain drain) {}
