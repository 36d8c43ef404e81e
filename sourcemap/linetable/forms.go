package linetable

// Attribute forms, 7.5.6, and GNU's before version 5.
const (
	formAddr          = 0x01
	formBlock2        = 0x03
	formBlock4        = 0x04
	formData2         = 0x05
	formData4         = 0x06
	formData8         = 0x07
	formString        = 0x08
	formBlock         = 0x09
	formBlock1        = 0x0a
	formData1         = 0x0b
	formFlag          = 0x0c
	formSdata         = 0x0d
	formStrp          = 0x0e
	formUdata         = 0x0f
	formRefAddr       = 0x10
	formRef1          = 0x11
	formRef2          = 0x12
	formRef4          = 0x13
	formRef8          = 0x14
	formRefUdata      = 0x15
	formIndirect      = 0x16
	formSecOffset     = 0x17
	formExprloc       = 0x18
	formFlagPresent   = 0x19
	formStrx          = 0x1a
	formAddrx         = 0x1b
	formRefSup4       = 0x1c
	formStrpSup       = 0x1d
	formData16        = 0x1e
	formLineStrp      = 0x1f
	formRefSig8       = 0x20
	formImplicitConst = 0x21
	formLoclistx      = 0x22
	formRnglistx      = 0x23
	formRefSup8       = 0x24
	formStrx1         = 0x25
	formStrx2         = 0x26
	formStrx3         = 0x27
	formStrx4         = 0x28
	formAddrx1        = 0x29
	formAddrx2        = 0x2a
	formAddrx3        = 0x2b
	formAddrx4        = 0x2c
	formGNUAddrIndex  = 0x1f01
	formGNUStrIndex   = 0x1f02
	formGNURefAlt     = 0x1f20
	formGNUStrpAlt    = 0x1f21
)

// encoding is what the size of some forms depends on.
type encoding struct {
	is64     bool
	version  uint64
	addrSize uint64
}

// skip passes over a value.
func (d *decoder) skip(form uint64, e encoding) {
	switch form {
	case formFlagPresent, formImplicitConst:
	case formData1, formFlag, formRef1, formStrx1, formAddrx1:
		d.take(1)
	case formData2, formRef2, formStrx2, formAddrx2:
		d.take(2)
	case formStrx3, formAddrx3:
		d.take(3)
	case formData4, formRef4, formStrx4, formAddrx4, formRefSup4:
		d.take(4)
	case formData8, formRef8, formRefSig8, formRefSup8:
		d.take(8)
	case formData16:
		d.take(16)
	case formAddr:
		d.take(e.addrSize)
	case formSdata, formUdata, formRefUdata, formStrx, formAddrx, formLoclistx, formRnglistx,
		formGNUAddrIndex, formGNUStrIndex:
		d.uleb()
	case formString:
		d.text()
	case formStrp, formLineStrp, formSecOffset, formStrpSup, formGNURefAlt, formGNUStrpAlt:
		d.offset(e.is64)
	case formRefAddr:
		if e.version <= 2 {
			d.take(e.addrSize)
		} else {
			d.offset(e.is64)
		}
	case formBlock1:
		d.take(d.u8())
	case formBlock2:
		d.take(d.u16())
	case formBlock4:
		d.take(d.u32())
	case formBlock, formExprloc:
		d.take(d.uleb())
	default:
		d.fail("unknown form %#x", form)
	}
}

// number takes an unsigned constant.
func (d *decoder) number(form uint64) uint64 {
	switch form {
	case formData1:
		return d.u8()
	case formData2:
		return d.u16()
	case formData4:
		return d.u32()
	case formData8:
		return d.u64()
	case formUdata:
		return d.uleb()
	}
	d.fail("form %#x for a number", form)
	return 0
}
