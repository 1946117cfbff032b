"""What the PC speaker played, from the .wav file that QEMU wrote."""
import array

HEAD_BYTES = 44  # its lengths are wrong when the power was cut: not read
RATE = 44100
SHORTEST_S = 0.03
KNOWN_HZ = (220, 660, 880, 990)  # preboot/sound.c


def edges(path):
    """Times at which the square wave rises, seconds."""
    content = path.read_bytes()[HEAD_BYTES:]
    samples = array.array("h", content[:len(content) // 4 * 4])[::2]
    middle = (max(samples) + min(samples)) / 2
    return [i / RATE for i in range(1, len(samples)) if samples[i - 1] <= middle < samples[i]]


def nearest(hz):
    found = min(KNOWN_HZ, key=lambda known: abs(known - hz))
    return found if abs(found - hz) < 0.05 * found else round(hz)


def tones(path):
    """Frequencies of the tones, one after the other; a pause of any length between two."""
    found, begin, count = [], None, 0
    times = edges(path) + [float("inf")]
    for before, now in zip(times, times[1:]):
        if begin is not None and abs((now - before) - (before - begin) / count) < 0.15 * (now - before):
            count += 1
            continue
        if begin is not None and before - begin >= SHORTEST_S:
            found.append(nearest(count / (before - begin)))
        begin, count = before, 1
    return found
