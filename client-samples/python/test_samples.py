"""The samples against a server of their own with the embedded model."""

import contextlib
import io
import pathlib
import subprocess
import unittest

import grpc

import steer_canvas
import watch_canvas

ROOT = pathlib.Path(__file__).resolve().parents[2]


class WatchCanvasTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = subprocess.Popen(
            [ROOT / "sfumato", "serve", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True
        )
        listening = cls.server.stdout.readline().strip()
        ready = cls.server.stdout.readline().strip()
        assert ready == "model sfumato-tales: ready", (listening, ready)
        cls.channel = grpc.insecure_channel("127.0.0.1:" + listening.rsplit(" ", 1)[1])

    @classmethod
    def tearDownClass(cls):
        cls.channel.close()
        cls.server.terminate()
        cls.server.wait(timeout=30)
        cls.server.stdout.close()

    def test_canvases_come_into_focus_and_end_in_the_text(self):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            text = watch_canvas.watch(self.channel, "Tell me a story about a lost kite.")
        canvases = printed.getvalue().splitlines()
        self.assertIn("kite", text)
        self.assertGreater(len(canvases), 3)
        self.assertIn("░", canvases[0])
        # What comes after the end of the text stays undecided.
        self.assertEqual(text.replace("\n", "⏎"), canvases[-1].rstrip("░"))

    def test_what_is_pinned_stands_in_the_text(self):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            pinned, text = steer_canvas.steer(self.channel, "Tell me a story about a lost kite.")
        self.assertTrue(pinned)
        self.assertTrue(text.startswith(pinned), (pinned, text))
        self.assertIn("control 1 took effect", printed.getvalue())

    def test_a_refusal_reaches_the_caller(self):
        longer_than_the_context = "kite " * 10000
        with self.assertRaises(grpc.RpcError) as refusal:
            watch_canvas.watch(self.channel, longer_than_the_context)
        self.assertEqual(grpc.StatusCode.INVALID_ARGUMENT, refusal.exception.code())


if __name__ == "__main__":
    unittest.main()
