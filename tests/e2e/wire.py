"""The wire format of protocol buffers, written: what tests read is not made by what they test."""


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(tag, value):
    return varint(tag << 3) + varint(value)


def message(tag, data):
    return varint(tag << 3 | 2) + varint(len(data)) + data


def packed(tag, values):
    return message(tag, b"".join(map(varint, values)))
