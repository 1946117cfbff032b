"""What a person sees: pictures of the panel, kept in build/out/screens, and the texts in them."""
import time

import rig
from installation import Installation
from picture import Picture

PICTURES = rig.OUT / "screens"


class Screens(Installation):
    def __init__(self, folder):
        super().__init__(folder)
        PICTURES.mkdir(parents=True, exist_ok=True)

    def shoot(self, name):
        return self.laptop.picture(PICTURES / f"{name}.png")

    @staticmethod
    def words(name, *arguments):
        """A message's text and number, as the page shows them."""
        number, text = rig.message(name, *arguments)
        return text, f"HF-{number}"

    def shows(self, name, *texts, timeout=60, **more):
        """Wait for a page with these texts and more (see differs); keep its picture, and return it."""
        end = time.monotonic() + timeout
        while True:
            path = self.shoot(name)
            wrong = self.differs(path, texts, **more)
            if not wrong:
                return Picture(path)
            if time.monotonic() > end:
                raise AssertionError(f"{path}: {wrong}")
            time.sleep(0.1)

    @staticmethod
    def differs(path, texts, code=None, absent=(), contrast=None, larger_than=0):
        """The first thing that is not as it should be; "" without one. The page has a code or challenge, is without other
        texts, in high contrast or not, its type is larger."""
        try:
            picture = Picture(path)
        except AssertionError as error:
            return str(error)
        if contrast is not None and picture.contrast != contrast:
            return f"high contrast is {picture.contrast}"
        if picture.em <= larger_than:
            return f"the type is no larger: em {picture.em}"
        for text in texts:
            if not picture.find(text):
                return f"not there: {text!r}"
        if code and not picture.code(code):
            return f"not there, in cells: {code}"
        return next((f"there: {text!r}" for text in absent if picture.find(text)), "")

    def shows_moving(self, name, text):
        """A page with this text, on which something moves."""
        seen = set()
        while len(seen) < 3:
            seen.add(self.shows(name, text).path.read_bytes())

    def nothing_left(self, handoff, secrets):
        """Nor on the panel: it is black."""
        self.laptop.see("LINGERING")
        panel = self.laptop.pixels()
        super().nothing_left(handoff, secrets)
        assert not any(panel), "the panel is not black"
