/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the character device has to decide of a peer's messages: their bytes are the
 * program's business, but how many there are is the peer's word. Pure C.
 */
#ifndef _DUCT_CDEV_FRAME_H
#define _DUCT_CDEV_FRAME_H

#include "../port.h"

/*
 * Whether a message, or an answer, may be given to a program.
 * @stream: what does not fit stays for the next read
 * @len: bytes of the message
 * @room: of the program's memory
 * @cut: the program takes what fits
 */
static inline bool dfile_frame_fits(bool stream, u32 len, size_t room, bool cut)
{
	return stream || cut || len <= room;
}

/*
 * Messages are held for their reader up to what four rings hold, since small ones take
 * more here than there.
 */
static inline bool dfile_frame_held_full(u32 held, u32 ring)
{
	return held / 4 > ring;
}

#endif /* _DUCT_CDEV_FRAME_H */
