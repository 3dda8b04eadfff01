"""Steers a generation while it is being written: pins the beginning as soon as it stands, and takes the best guess soon after.

Usage: python3 steer_canvas.py HOST:PORT PROMPT
"""

import queue
import sys

import grpc

from sfumato.v1 import canvas_pb2, control_pb2, generation_service_pb2, generation_service_pb2_grpc

import watch_canvas

PIN, FINISH = 1, 2  # our numbers for the two controls


def beginning(states, length):
    """How many of the first positions are decided, at most `length`."""
    undecided = (i for i, state in enumerate(states[:length]) if state == canvas_pb2.TOKEN_STATE_UNDECIDED)
    return next(undecided, length)


def control(**action):
    return generation_service_pb2.GenerateRequest(control=control_pb2.Control(**action))


def steer(channel, prompt, pinned_length=6, frames_after_pin=2):
    """Returns the text that was pinned and the whole text. Raises grpc.RpcError if the server refuses the generation."""
    requests = queue.SimpleQueue()
    requests.put(watch_canvas.start(prompt))
    stub = generation_service_pb2_grpc.GenerationServiceStub(channel)
    texts, states = [], []
    pinned, frames_left, text = None, frames_after_pin, ""
    for event in stub.Generate(iter(requests.get, None)):
        kind = event.WhichOneof("kind")
        if kind in ("canvas_keyframe", "canvas_delta"):
            frame = getattr(event, kind)
            print(watch_canvas.draw(texts, frame.spans), flush=True)
            states.extend([canvas_pb2.TOKEN_STATE_UNDECIDED] * (len(texts) - len(states)))
            for span in frame.spans:
                states[span.start : span.start + span.length] = [span.state] * span.length
            if pinned is None and beginning(states, pinned_length) == pinned_length:
                pinned = "".join(texts[:pinned_length])
                here = canvas_pb2.PositionRange(start=0, length=pinned_length)
                requests.put(control(control_id=PIN, basis_frame=frame.frame, pin_spans=control_pb2.PinSpans(ranges=[here])))
            elif pinned is not None and frames_left > 0:
                frames_left -= 1
                if frames_left == 0:
                    requests.put(control(control_id=FINISH, finish_now=control_pb2.FinishNow()))
                    requests.put(None)  # nothing more to say
        elif kind == "control_applied":
            print("control %d took effect at step %d" % (event.control_applied.control_id, event.control_applied.step))
        elif kind == "control_rejected":
            rejected = event.control_rejected
            print("control %d was refused: %s" % (rejected.control_id, rejected.status.message))
        elif kind == "finished":
            text = event.finished.text
            requests.put(None)
    return pinned, text


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip().splitlines()[-1])
    with grpc.insecure_channel(sys.argv[1]) as channel:
        print(steer(channel, sys.argv[2])[1])


if __name__ == "__main__":
    main()
