"""Turn the library in Xray's wheel into the ``xray`` program.

PyPI has Xray as a Python extension. It is a Go archive of Xray's package ``main``, so it contains
the whole command line. Go skips ``main.main`` because the build mode is an archive. Four changes
turn a copy of the file into the program:

1. It gets an interpreter, so that the kernel can start it.
2. It starts at a stub. The stub runs the initialisers, and then sleeps for ever in the first
   thread. One of the initialisers starts Go in other threads.
3. The two branches in ``runtime.main`` that skip ``main.main`` become no-operations.
4. Its undefined Python symbols become weak, so that it needs no libpython.

Another wheel may be built differently. Every unexpected part is a LabError.
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from lab.errors import LabError

_INTERPRETER = b"/lib64/ld-linux-x86-64.so.2\0"
_ENTRY = "PyInit_xray"
"""A function that a program never needs. The stub replaces it."""

_SEGMENT = struct.Struct("<IIQQQQQQ")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_PT_LOAD, _PT_INTERP, _PT_NOTE, _PT_PHDR, _PT_GNU_EH_FRAME = 1, 3, 4, 6, 0x6474E550
_STB_WEAK = 2

# runtime.main: if isarchive || islibrary { return }; fn := main_main; fn()
#   cmp byte [rip+..],0; jne ..; cmp byte [rip+..],0; jne ..; mov rax,[rip+..]; lea rdx,..; call rax
_SKIPS_MAIN = re.compile(
    rb"\x80\x3d....\x00(\x75.)\x80\x3d....\x00(\x75.)\x48\x8b\x05....\x48\x8d\x15....\xff\xd0",
    re.DOTALL,
)
_TWO_NOPS = b"\x90\x90"


@dataclass(frozen=True, slots=True)
class _Segment:
    kind: int
    flags: int
    offset: int
    address: int
    physical: int
    size: int
    memory: int
    align: int

    def packed(self) -> bytes:
        return _SEGMENT.pack(
            self.kind,
            self.flags,
            self.offset,
            self.address,
            self.physical,
            self.size,
            self.memory,
            self.align,
        )


@dataclass(frozen=True, slots=True)
class _Section:
    name: int
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    entry: int


@dataclass(frozen=True, slots=True)
class _Symbol:
    name: str
    place: int
    """The offset of its entry in the file."""
    info: int
    section: int
    address: int
    size: int


def program_from_library(library: bytes) -> bytes:
    """Return the program from *library*, the extension module in the wheel."""
    image = _Image(bytearray(library))
    image.run_main()
    image.forget_python()
    image.start_at_stub()
    image.interpret()
    return bytes(image.data)


class _Image:
    """The content of the file, which the methods change."""

    def __init__(self, data: bytearray) -> None:
        self.data = data
        kind = struct.unpack_from("<HH", data, 16)
        _expect(data[:6] == b"\x7fELF\x02\x01" and kind == (3, 62), "an x86-64 shared library")
        self.segments_at, sections_at = struct.unpack_from("<QQ", data, 0x20)
        (count,) = struct.unpack_from("<H", data, 0x38)
        self.segments = [
            _Segment(*_SEGMENT.unpack_from(data, self.segments_at + i * _SEGMENT.size))
            for i in range(count)
        ]
        count, names_in = struct.unpack_from("<HH", data, 0x3C)
        sections = [
            _Section(*_SECTION.unpack_from(data, sections_at + i * _SECTION.size))
            for i in range(count)
        ]
        names = sections[names_in].offset
        self.sections = {self._text(names + section.name): section for section in sections}

    def run_main(self) -> None:
        """Replace the branches that skip ``main.main`` by no-operations."""
        code = self.sections[".text"]
        window = bytes(self.data[code.offset : code.offset + code.size])
        branches = list(_SKIPS_MAIN.finditer(window))
        _expect(len(branches) == 1, "one place that skips main.main")
        for branch in (1, 2):
            at = code.offset + branches[0].start(branch)
            self.data[at : at + 2] = _TWO_NOPS

    def forget_python(self) -> None:
        """Make the undefined Python symbols weak."""
        for symbol in self._symbols():
            if symbol.section == 0 and re.match("_?Py", symbol.name):
                self.data[symbol.place + 4] = _STB_WEAK << 4 | symbol.info & 15

    def start_at_stub(self) -> None:
        """Replace an unneeded function by the stub, and start the program at it."""
        entries = [symbol for symbol in self._symbols() if symbol.name == _ENTRY]
        _expect(len(entries) == 1, f"one function {_ENTRY}")
        entry, initialisers = entries[0], self.sections[".init_array"]
        stub = _stub(entry.address, initialisers.address, initialisers.size // 8)
        _expect(len(stub) <= entry.size, f"room for the stub in {_ENTRY}")
        at = self._offset(entry.address)
        self.data[at : at + len(stub)] = stub
        struct.pack_into("<Q", self.data, 0x18, entry.address)

    def interpret(self) -> None:
        """Add the interpreter, in place of two segments that a program does not need."""
        notes = [segment for segment in self.segments if segment.kind == _PT_NOTE]
        _expect(len(notes) >= 1 and notes[0].size >= len(_INTERPRETER), "room for the interpreter")
        note = notes[0]
        others = [
            segment
            for segment in self.segments
            if segment is not note and segment.kind != _PT_GNU_EH_FRAME
        ]
        _expect(len(others) == len(self.segments) - 2, "a table of exception frames")
        _expect((self._loads()[0].offset, self._loads()[0].address) == (0, 0), "headers in memory")
        self.data[note.offset : note.offset + len(_INTERPRETER)] = _INTERPRETER
        at, size = self.segments_at, _SEGMENT.size * len(self.segments)
        headers = _Segment(_PT_PHDR, 4, at, at, at, size, size, 8)
        length = len(_INTERPRETER)
        interpreter = _Segment(
            _PT_INTERP, 4, note.offset, note.address, note.physical, length, length, 1
        )
        table = b"".join(segment.packed() for segment in [headers, interpreter, *others])
        self.data[at : at + size] = table

    def _loads(self) -> list[_Segment]:
        return [segment for segment in self.segments if segment.kind == _PT_LOAD]

    def _symbols(self) -> Iterator[_Symbol]:
        table, names = self.sections[".dynsym"], self.sections[".dynstr"]
        for place in range(table.offset, table.offset + table.size, _SYMBOL.size):
            name, info, _, section, address, size = _SYMBOL.unpack_from(self.data, place)
            yield _Symbol(self._text(names.offset + name), place, info, section, address, size)

    def _offset(self, address: int) -> int:
        for load in self._loads():
            if load.address <= address < load.address + load.size:
                return address - load.address + load.offset
        raise LabError(f"{address:#x} is nowhere in the file")

    def _text(self, at: int) -> str:
        return bytes(self.data[at : self.data.index(0, at)]).decode()


def _stub(here: int, initialisers: int, count: int) -> bytes:
    """Return code that calls each initialiser with (argc, argv, envp), then sleeps for ever."""
    code = bytearray(
        b"\x31\xed"  # xor ebp, ebp
        b"\x8b\x3c\x24"  # mov edi, [rsp]              argc
        b"\x48\x8d\x74\x24\x08"  # lea rsi, [rsp+8]    argv
        b"\x48\x8d\x54\xfe\x08"  # lea rdx, [rsi+rdi*8+8]  envp
        b"\x48\x83\xe4\xf0"  # and rsp, -16
        b"\x49\x89\xfc\x49\x89\xf5\x49\x89\xd6"  # keep them in r12, r13, r14
    )
    for number in range(count):
        code += b"\x4c\x89\xe7\x4c\x89\xee\x4c\x89\xf2"  # mov rdi, rsi, rdx from there
        after = here + len(code) + 6
        code += b"\xff\x15" + struct.pack("<i", initialisers + 8 * number - after)  # call [rip+..]
    return bytes(code) + b"\xb8\x22\x00\x00\x00\x0f\x05\xeb\xf7"  # 1: mov eax,34; syscall; jmp 1b


def _expect(condition: bool, part: str) -> None:
    if not condition:
        raise LabError(f"this wheel is not built like the pinned one: expected {part}")
