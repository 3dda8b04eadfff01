"""Asks a Sfumato server for a text and prints every canvas on the way to it.

Usage: python3 watch_canvas.py HOST:PORT PROMPT
"""

import sys

import grpc

from sfumato.v1 import canvas_pb2, generation_service_pb2, generation_service_pb2_grpc, start_pb2


def start(prompt):
    """The one message that a client without further wishes sends."""
    message = start_pb2.ChatMessage(role="user", content=prompt)
    return generation_service_pb2.GenerateRequest(
        start=start_pb2.GenerateStart(
            prompt=start_pb2.Prompt(chat=start_pb2.Chat(messages=[message])),
            stream=start_pb2.StreamSpec(detail=start_pb2.StreamSpec.DETAIL_CANVAS),
        )
    )


def draw(canvas, spans):
    """Writes the spans over what stands at their positions in the list `canvas` and joins it."""
    for span in spans:
        undecided = span.state == canvas_pb2.TOKEN_STATE_UNDECIDED
        canvas.extend([""] * (span.start + span.length - len(canvas)))
        canvas[span.start : span.start + span.length] = ["░"] * span.length if undecided else span.texts
    return "".join(canvas).replace("\n", "⏎")


def watch(channel, prompt):
    """Prints the canvases of one generation and returns its text. Raises grpc.RpcError if the server refuses."""
    stub = generation_service_pb2_grpc.GenerationServiceStub(channel)
    canvas = []
    text = ""
    for event in stub.Generate(iter([start(prompt)])):
        kind = event.WhichOneof("kind")
        if kind == "canvas_keyframe":
            canvas = []
            print(draw(canvas, event.canvas_keyframe.spans), flush=True)
        elif kind == "canvas_delta":
            print(draw(canvas, event.canvas_delta.spans), flush=True)
        elif kind == "finished":
            text = event.finished.text
    return text


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip().splitlines()[-1])
    with grpc.insecure_channel(sys.argv[1]) as channel:
        print(watch(channel, sys.argv[2]))


if __name__ == "__main__":
    main()
