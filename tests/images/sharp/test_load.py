"""libvips is set up once, whichever thread comes first."""

import subprocess
import sys

_EIGHT_AT_ONCE = """
import io, threading
from PIL import Image
from directus_assets.images.sharp.load import open_picture

picture = io.BytesIO()
Image.new("RGB", (50, 50)).save(picture, "JPEG")
start, opened = threading.Barrier(8), []

def open_one():
    start.wait()
    opened.append(open_picture(picture.getvalue()).format)

threads = [threading.Thread(target=open_one) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(*opened)
"""


def test_threads_that_ask_for_libvips_at_the_same_time_all_open_their_picture() -> None:
    # One process in two failed while each thread could set it up again.
    for _ in range(4):
        run = subprocess.run([sys.executable, "-c", _EIGHT_AT_ONCE], capture_output=True, text=True, check=True)

        assert run.stdout.split() == ["jpeg"] * 8
