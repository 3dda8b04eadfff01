package io.sfumato.server.rpc;

import static java.util.Objects.requireNonNull;

import io.grpc.stub.StreamObserver;
import io.sfumato.server.error.ErrorReason;
import io.sfumato.server.error.ServingException;
import io.sfumato.server.model.ModelCatalog;
import io.sfumato.server.model.ModelEntry;
import io.sfumato.v1.GetModelRequest;
import io.sfumato.v1.GetModelResponse;
import io.sfumato.v1.ListModelsRequest;
import io.sfumato.v1.ListModelsResponse;
import io.sfumato.v1.ModelServiceGrpc;
import java.util.List;
import java.util.Map;

/** Says what the models are and can do. Thread-safe. */
final class ModelService extends ModelServiceGrpc.ModelServiceImplBase {

  private static final int DEFAULT_PAGE = 50;
  private static final int MOST_PER_PAGE = 1000;

  private final ModelCatalog models;
  private final StatusMapper statuses;

  ModelService(ModelCatalog models, StatusMapper statuses) {
    this.models = requireNonNull(models, "models");
    this.statuses = requireNonNull(statuses, "statuses");
  }

  @Override
  public void listModels(ListModelsRequest request, StreamObserver<ListModelsResponse> responses) {
    UnaryAnswer.send(responses, statuses, () -> list(request));
  }

  @Override
  public void getModel(GetModelRequest request, StreamObserver<GetModelResponse> responses) {
    UnaryAnswer.send(responses, statuses, () -> get(request));
  }

  private ListModelsResponse list(ListModelsRequest request) {
    Problems problems = new Problems();
    List<ModelEntry> entries = models.entries();
    int size = Ranges.integer(problems, "page_size", request.getPageSize(), 0, MOST_PER_PAGE);
    int start = start(request.getPageToken(), entries, problems);
    problems.throwIfAny();
    int end = Math.min(entries.size(), start + (size == 0 ? DEFAULT_PAGE : size));
    ListModelsResponse.Builder response = ListModelsResponse.newBuilder();
    for (int index = start; index < end; index++) {
      response.addModels(ProtoMapper.model(entries.get(index), index == 0));
    }
    if (end < entries.size()) {
      response.setNextPageToken(entries.get(end).name());
    }
    return response.build();
  }

  /** A page token is the name of the first model on its page. */
  private static int start(String pageToken, List<ModelEntry> entries, Problems problems) {
    if (pageToken.isEmpty()) {
      return 0;
    }
    for (int index = 0; index < entries.size(); index++) {
      if (entries.get(index).name().equals(pageToken)) {
        return index;
      }
    }
    problems.invalid("page_token", "unknown", "a next_page_token of this server");
    return 0;
  }

  private GetModelResponse get(GetModelRequest request) {
    List<ModelEntry> entries = models.entries();
    for (int index = 0; index < entries.size(); index++) {
      boolean wanted =
          request.getName().isEmpty()
              ? index == 0
              : entries.get(index).name().equals(request.getName());
      if (wanted) {
        return GetModelResponse.newBuilder()
            .setModel(ProtoMapper.model(entries.get(index), index == 0))
            .build();
      }
    }
    throw new ServingException(
        ErrorReason.MODEL_NOT_FOUND,
        "name: "
            + request.getName()
            + " (expected: one of "
            + entries.stream().map(ModelEntry::name).toList()
            + ")",
        List.of(),
        Map.of("model", request.getName()),
        0,
        null);
  }
}
