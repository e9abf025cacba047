#ifndef MARTLET_ZLIB_SHIM_H
#define MARTLET_ZLIB_SHIM_H

#include <zlib.h>

/// `inflateInit2` and `deflateInit2` are macros; 16 on top of the window asks for the gzip format.
static inline int martlet_inflate_init(z_stream *stream) { return inflateInit2(stream, 16 + MAX_WBITS); }

static inline int martlet_deflate_init(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
}

#endif
