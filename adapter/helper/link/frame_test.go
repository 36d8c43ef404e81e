package link

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"testing"
	"testing/iotest"
)

// FuzzFrames: any bytes are a frame or an error, and a frame reads as it was written.
func FuzzFrames(f *testing.F) {
	f.Add(appendNumber(nil, frameAck, 7))
	f.Add(append(appendData(nil, 1<<40, 3), "abc"...))
	f.Add(appendText(nil, frameHello, []byte(`{"session":"x"}`)))
	f.Add(appendClose(nil))
	f.Add([]byte{frameData, 0xff, 0xff, 0xff, 0xff, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		in := bytes.NewReader(b)
		buf := make([]byte, bufferSize)
		for {
			at := len(b) - in.Len()
			got, err := readFrame(iotest.OneByteReader(in), buf)
			if err != nil {
				return
			}
			var again []byte
			switch got.kind {
			case frameData:
				again = append(appendData(nil, got.number, len(got.content)), got.content...)
			case frameWelcome, frameAck:
				again = appendNumber(nil, got.kind, got.number)
			case frameHello, frameRefused:
				again = appendText(nil, got.kind, got.content)
			case frameClose:
				again = appendClose(nil)
			}
			if read := b[at : len(b)-in.Len()]; !bytes.Equal(again, read) {
				t.Fatalf("%x was read as %x", read, again)
			}
		}
	})
}

// FuzzClient: whatever a client that knows the token sends, the server cuts it or
// takes bytes within the window, and can be closed.
func FuzzClient(f *testing.F) {
	f.Add(append(appendData(nil, 0, 3), "abc"...))
	f.Add(appendNumber(nil, frameAck, 1))
	f.Add(appendClose(nil))
	f.Add(append(append(appendData(nil, 0, 3), "abc"...), append(appendData(nil, 2, 3), "abc"...)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := NewServer(ServerOptions{Session: session, Token: token, Options: Options{Window: 100}})
		client, server := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, client) }()
		go func() {
			hello, _ := json.Marshal(Hello{Session: session, Token: token, Client: "c", Attempt: 1})
			_, _ = client.Write(appendText(append([]byte(preamble), Version), frameHello, hello))
			_, _ = client.Write(b)
			client.Close()
		}()
		_ = s.Serve(server)
		s.conn.mu.Lock()
		if s.conn.in.n > 100 {
			t.Errorf("%d bytes are held for a window of 100", s.conn.in.n)
		}
		s.conn.mu.Unlock()
		s.conn.fail(errOver)
	})
}
