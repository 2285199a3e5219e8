"""Read TensorBoard's event files, by their published format alone: no code of
gradus, TensorFlow or protobuf.  Returns [(step, {tag: value}), ...]."""
import struct

TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    TABLE.append(byte)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


assert crc32c(b"123456789") == 0xE3069283  # the published check


def masked(data):
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def records(path):
    data, at = open(path, "rb").read(), 0
    while at < len(data):
        n, digest = struct.unpack_from("<QI", data, at)
        assert digest == masked(data[at:at + 8]), f"length at byte {at}"
        body = data[at + 12:at + 12 + n]
        assert len(body) == n, f"cut at byte {at}"
        assert struct.unpack_from("<I", data, at + 12 + n)[0] == masked(body)
        yield body
        at += 16 + n


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(data):
    """(number, value) of a protobuf message; values as their wire type says."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 1:
            value, at = struct.unpack_from("<d", data, at)[0], at + 8
        elif kind == 5:
            value, at = struct.unpack_from("<f", data, at)[0], at + 4
        else:
            assert kind == 2, kind
            n, at = varint(data, at)
            value, at = data[at:at + n], at + n
        yield key >> 3, value


def read(path):
    found = []
    for i, record in enumerate(records(path)):
        event = dict(fields(record))
        assert event[1] > 1.6e9  # wall time
        if i == 0:
            assert event[3] == b"brain.Event:2"
            continue
        values = {}
        for number, value in fields(event[5]):
            assert number == 1
            scalar = dict(fields(value))
            values[scalar[1].decode()] = scalar[2]
        found.append((event.get(2, 0), values))
    return found
