package linetable

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// formValue is a value of a form, and what it depends on.
type formValue struct {
	form uint64
	e    encoding
	b    []byte
}

// formValues has each form that a value may have, with the sizes of 7.5.6.
func formValues() []formValue {
	all := []formValue{
		{formAddr, encoding{addrSize: 8}, make([]byte, 8)},
		{formAddr, encoding{addrSize: 4}, make([]byte, 4)},
		{formRefAddr, encoding{version: 2, addrSize: 2}, make([]byte, 2)},
		{formRefAddr, encoding{version: 3, addrSize: 2}, make([]byte, 4)},
		{formRefAddr, encoding{version: 3, addrSize: 2, is64: true}, make([]byte, 8)},
		{formString, encoding{}, []byte("text\x00")},
		{formBlock1, encoding{}, []byte{3, 1, 2, 3}},
		{formBlock2, encoding{}, []byte{3, 0, 1, 2, 3}},
		{formBlock4, encoding{}, []byte{3, 0, 0, 0, 1, 2, 3}},
		{formBlock, encoding{}, append([]byte{0x81, 0x01}, make([]byte, 129)...)},
		{formExprloc, encoding{}, []byte{2, 1, 2}},
	}
	for size, forms := range map[int][]uint64{
		0:  {formFlagPresent, formImplicitConst},
		1:  {formData1, formFlag, formRef1, formStrx1, formAddrx1},
		2:  {formData2, formRef2, formStrx2, formAddrx2},
		3:  {formStrx3, formAddrx3},
		4:  {formData4, formRef4, formStrx4, formAddrx4, formRefSup4},
		8:  {formData8, formRef8, formRefSig8, formRefSup8},
		16: {formData16},
	} {
		for _, f := range forms {
			all = append(all, formValue{f, encoding{}, make([]byte, size)})
		}
	}
	for _, f := range []uint64{formSdata, formUdata, formRefUdata, formStrx, formAddrx, formLoclistx, formRnglistx, formGNUAddrIndex, formGNUStrIndex} {
		all = append(all, formValue{f, encoding{}, []byte{5}}, formValue{f, encoding{}, []byte{0x85, 0x80, 0x01}})
	}
	for _, f := range []uint64{formStrp, formLineStrp, formSecOffset, formStrpSup, formGNURefAlt, formGNUStrpAlt} {
		all = append(all, formValue{f, encoding{}, make([]byte, 4)}, formValue{f, encoding{is64: true}, make([]byte, 8)})
	}
	return all
}

func TestEachFormTakesItsBytes(t *testing.T) {
	for _, v := range formValues() {
		// What comes behind is not touched, and what is missing is missed.
		d := decoder{b: append(bytes.Clone(v.b), 0xff, 0xff), s: &section{name: "s"}}
		if d.skip(v.form, v.e); d.err != nil || d.pos != len(v.b) {
			t.Errorf("form %#x %+v: %d of %d bytes, %v", v.form, v.e, d.pos, len(v.b), d.err)
		}
		if len(v.b) == 0 {
			continue
		}
		d = decoder{b: v.b[:len(v.b)-1], s: &section{name: "s"}}
		if d.skip(v.form, v.e); d.err == nil || !d.short {
			t.Errorf("form %#x %+v: cut, and no error", v.form, v.e)
		}
	}
	d := decoder{b: make([]byte, 8), s: &section{name: "s"}}
	if d.skip(0x7e, encoding{}); d.err == nil || d.short {
		t.Errorf("an unknown form: %v", d.err)
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		form uint64
		b    []byte
		want uint64
	}{
		{formData1, []byte{0xfe}, 0xfe},
		{formData2, []byte{1, 2}, 0x201},
		{formData4, []byte{1, 2, 3, 4}, 0x4030201},
		{formData8, []byte{1, 2, 3, 4, 5, 6, 7, 8}, 0x807060504030201},
		{formUdata, []byte{0xe5, 0x8e, 0x26}, 624485}, // the example of 7.6
		{formUdata, []byte{0x7f}, 127},
		{formUdata, []byte{0x80, 0x01}, 128},
		{formUdata, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, 1<<64 - 1},
		{formUdata, []byte{0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}, 1}, // more than 64 bits
	} {
		d := decoder{b: append(bytes.Clone(c.b), 0), s: &section{name: "s"}}
		if got := d.number(c.form); got != c.want || d.err != nil || d.pos != len(c.b) {
			t.Errorf("form %#x, % x: %d after %d bytes, %v; want %d", c.form, c.b, got, d.pos, d.err, c.want)
		}
		d = decoder{b: c.b[:len(c.b)-1], s: &section{name: "s"}}
		if got := d.number(c.form); got != 0 || d.err == nil {
			t.Errorf("form %#x, cut: %d, %v", c.form, got, d.err)
		}
	}
	d := decoder{b: make([]byte, 8), s: &section{name: "s"}}
	if d.number(formString); d.err == nil {
		t.Error("a string is a number")
	}
}

// After its first error, which says where, a decoder gives nothing any more.
func TestADecoderStopsAtItsFirstError(t *testing.T) {
	d := decoder{b: []byte{1, 2, 3, 'x', 0}, s: &section{name: ".s"}, base: 0x100}
	if got := d.u8(); got != 1 {
		t.Errorf("%d", got)
	}
	d.u64()
	first := d.err
	var corrupt *CorruptError
	if !errors.As(first, &corrupt) || corrupt.Section != ".s" || corrupt.Offset != 0x101 || corrupt.Reason != "a value goes on beyond its end, 4 bytes further" {
		t.Errorf("%v", first)
	}
	if got := fmt.Sprint(d.u8(), d.u16(), d.u32(), d.u64(), d.uleb(), d.text(), d.take(1), d.offset(true), d.left()); got != "0 0 0 0 0 [] [] 0 4" {
		t.Errorf("after the error: %s", got)
	}
	if d.fail("another"); d.err != first { //nolint:errorlint // the same one
		t.Errorf("the error became %v", d.err)
	}
}

// Attributes and entries of any form are passed over, wherever they stand.
func TestAttributesOfAnyFormArePassedOver(t *testing.T) {
	for _, v := range formValues() {
		if v.e.is64 || v.form == formImplicitConst {
			continue
		}
		e := v.e
		if e.version == 0 {
			e.version = 4
		}
		if v.form != formAddr && v.form != formRefAddr {
			e.addrSize = 8
		}
		for _, indirect := range []bool{false, true} {
			form, value := uleb(int(v.form)), v.b
			if indirect {
				form, value = uleb(formIndirect), append(uleb(int(v.form)), v.b...)
			}
			abbrevs := raw([]byte{1, tagCompileUnit, 0, 0x25}, form, []byte{atCompDir, formStrp, 0x26}, form, []byte{atStmtList, formSecOffset, 0, 0, 0})
			info := unitOf(false, u16(e.version), u32(0), u8(e.addrSize), u8(1), value, u32(0), value, u32(0))
			program := makeELF(part{name: ".debug_line", data: lineOf(3, false, oldLists(nil, oldFile("a.cc", 0)))}, part{name: ".debug_info", data: info},
				part{name: ".debug_abbrev", data: abbrevs}, part{name: ".debug_str", data: raw("/yard")})
			if got, err := readBytes(t, program); err != nil || brief(got.Files) != "/yard/a.cc < /yard\n" {
				t.Errorf("an attribute of form %#x, indirect %v: %v", v.form, indirect, err)
			}
		}
		if v.e.version != 0 || v.form == formAddr || v.form == formFlagPresent {
			continue // depends on what a line table does not say, or is none of its entries'
		}
		lists := raw(
			u8(2), uleb(0x2001), uleb(int(v.form)), u8(lnctPath), u8(formString), u8(2), v.b, "/yard", v.b, "src",
			u8(3), u8(lnctPath), u8(formString), uleb(0x2001), uleb(int(v.form)), u8(lnctDirectoryIndex), u8(formData1), u8(1), "a.cc", v.b, u8(1))
		if got, err := readBytes(t, makeELF(part{name: ".debug_line", data: lineOf(5, false, lists)})); err != nil || brief(got.Files) != "/yard/src/a.cc < /yard\n" {
			t.Errorf("an entry of form %#x: %v", v.form, err)
		}
	}
}

// An index into another section is no name that is read here.
func TestACompilationDirectoryByIndexIsNotKnown(t *testing.T) {
	abbrevs := []byte{1, tagCompileUnit, 0, atCompDir, formStrx1, atStmtList, formSecOffset, 0, 0, 0}
	lines := slicesConcat(oneName("/first.cc"), lineOf(3, false, oldLists(nil, oldFile("a.cc", 0))))
	info := unitOf(false, u16(4), u32(0), u8(8), u8(1), u8(3), u32(len(oneName("/first.cc"))))
	got, err := readBytes(t, makeELF(part{name: ".debug_line", data: lines}, part{name: ".debug_info", data: info}, part{name: ".debug_abbrev", data: abbrevs}))
	if err != nil || brief(got.Files) != "/first.cc < \na.cc < \n" {
		t.Errorf("%v, %+v", err, got)
	}
}

// One name with several contents is several files, one with the same is one.
func TestAFileIsCountedOnceForEachOfItsContents(t *testing.T) {
	lists := newLists(false, []int{0}, newFile("a.cc", 0, 1), newFile("a.cc", 0, 2), newFile("a.cc", 0, 1), newFile("a.cc", 0, 3), newFile("a.cc", 0, 2), newFile("b.cc", 0, 1))
	without := raw(u8(1), u8(lnctPath), u8(formLineStrp), u8(1), u32(0), u8(1), u8(lnctPath), u8(formString), u8(2), "a.cc", "a.cc")
	got, err := readBytes(t, makeELF(part{name: ".debug_line", data: slicesConcat(lineOf(5, false, lists), lineOf(5, false, without), lineOf(5, false, lists))},
		part{name: ".debug_line_str", data: raw("/yard")}))
	const want = "/yard/a.cc < /yard\n/yard/a.cc < /yard 1\n/yard/a.cc < /yard 2\n/yard/a.cc < /yard 3\n/yard/b.cc < /yard 1\n"
	if err != nil || brief(got.Files) != want {
		t.Errorf("%v, got\n%swant\n%s", err, brief(got.Files), want)
	}
	// As often as they are named: the tally has each but once.
	names := newNames(nil, "")
	tally := newTally(names)
	for _, md5 := range []byte{1, 2, 1, 3, 2, 3} {
		tally.add(fileAt{hasMD5: true, md5: [16]byte{md5}})
	}
	if len(tally.files) != 1+3 {
		t.Errorf("%d files in the tally, want 3", len(tally.files)-1)
	}
}

// A unit that ends in its header costs the directory, not the files.
func TestAUnitThatIsTooShort(t *testing.T) {
	line := lineOf(4, false, oldLists(nil, oldFile("a.cc", 0)))
	for n := range 8 {
		info := unitOf(false, make([]byte, 0), raw(u16(4), u32(0), u8(8), u8(7))[:n])
		got, err := readBytes(t, makeELF(part{name: ".debug_line", data: line}, part{name: ".debug_info", data: info},
			part{name: ".debug_abbrev", data: abbrevsOf(tagCompileUnit)}))
		if got == nil || brief(got.Files) != "a.cc < \n" {
			t.Fatalf("%d bytes: %+v", n, got)
		}
		if n > 0 && (err == nil || !strings.Contains(err.Error(), ".debug_info at offset")) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}
