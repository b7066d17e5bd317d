// SPDX-License-Identifier: GPL-2.0-only
/*
 * duct_stream send FILE STOP [SEED] | duct_stream receive FILE [SEED]
 *
 * One end of a stream through /dev/duct, for the scenarios "recovery" and "soak": sends what
 * cannot be guessed until there is a file STOP, or receives until the other end closes; then
 * prints the SHA-256 of all of it. With the same SEED at both ends each byte is compared as it
 * comes, also of a stream that is cut later. One process that mostly sleeps, since on an emulated
 * machine a pipe of the usual tools takes the processor from all that is to be measured. Each block is
 * computed until two results agree: on QEMU with --icount, of 280 MB, eight blocks were not, of
 * the same bytes by the same code, and both checksums of a right stream were wrong.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define PIECE	16384
#define PAUSE	100000000	/* ns, after each piece: at most 160 KB/s */

/* ---- SHA-256: FIPS 180-4 ---- */

struct sha256 {
	uint32_t state[8];
	uint8_t block[64];
	uint64_t len;
};

static const uint32_t sha256_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t ror(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

/* Not inlined, nor thought to be without effect: it is to be done twice. */
__attribute__((noipa)) static void sha256_rounds(uint32_t *state, const uint8_t *p)
{
	uint32_t w[64], s[8];

	for (int i = 0; i < 16; i++, p += 4)
		w[i] = (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
	for (int i = 16; i < 64; i++)
		w[i] = w[i - 16] + w[i - 7] +
		       (ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3) +
		       (ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10);
	memcpy(s, state, sizeof(s));
	for (int i = 0; i < 64; i++) {
		uint32_t a = s[0], e = s[4];
		uint32_t t1 = s[7] + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) +
			      ((e & s[5]) ^ (~e & s[6])) + sha256_k[i] + w[i];
		uint32_t t2 = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) +
			      ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));

		memmove(s + 1, s, 7 * sizeof(*s));
		s[4] += t1;
		s[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		state[i] += s[i];
}

static void sha256_block(struct sha256 *sha, const uint8_t *p)
{
	uint32_t first[8], second[8];

	do {
		memcpy(first, sha->state, sizeof(first));
		memcpy(second, sha->state, sizeof(second));
		sha256_rounds(first, p);
		sha256_rounds(second, p);
	} while (memcmp(first, second, sizeof(first)));
	memcpy(sha->state, first, sizeof(first));
}

static void sha256_init(struct sha256 *sha)
{
	static const uint32_t first[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	memcpy(sha->state, first, sizeof(first));
	sha->len = 0;
}

static void sha256_add(struct sha256 *sha, const uint8_t *data, size_t len)
{
	while (len) {
		size_t at = sha->len % 64, n = len < 64 - at ? len : 64 - at;

		if (n < 64)
			memcpy(sha->block + at, data, n);
		sha->len += n;
		if (sha->len % 64 == 0)
			sha256_block(sha, n < 64 ? sha->block : data);
		data += n;
		len -= n;
	}
}

static void sha256_print(struct sha256 *sha)
{
	uint64_t bits = sha->len * 8;
	uint8_t end[72] = { 0x80 };
	size_t pad = 64 - (sha->len + 8) % 64;

	for (int i = 0; i < 8; i++)
		end[pad + i] = bits >> (56 - 8 * i);
	sha256_add(sha, end, pad + 8);
	for (int i = 0; i < 8; i++)
		printf("%08x", sha->state[i]);
	printf("\n");
}

/* ---- the ends ---- */

/* Where a sequence begins; without a text where nobody knows. Never 0. */
static uint64_t seed_of(const char *text)
{
	uint64_t seed;

	if (text)
		seed = strtoull(text, NULL, 0) * 0x9e3779b97f4a7c15ULL;
	else if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		err(1, "getrandom");
	return seed | 1;
}

/* xorshift64*: 64 bits at a time */
static void fill(uint8_t *data, uint64_t *seed)
{
	for (size_t i = 0; i < PIECE; i += sizeof(*seed)) {
		uint64_t value;

		*seed ^= *seed >> 12;
		*seed ^= *seed << 25;
		*seed ^= *seed >> 27;
		value = *seed * 0x2545f4914f6cdd1dULL;
		memcpy(data + i, &value, sizeof(value));
	}
}

static void send_all(struct sha256 *sha, int fd, const char *stop, uint64_t seed)
{
	const struct timespec pause = { .tv_nsec = PAUSE };
	uint8_t data[PIECE];

	while (access(stop, F_OK)) {
		fill(data, &seed);
		sha256_add(sha, data, sizeof(data));
		for (size_t at = 0; at < sizeof(data);) {
			ssize_t n = write(fd, data + at, sizeof(data) - at);

			if (n < 0)
				err(1, "sending");
			at += n;
		}
		nanosleep(&pause, NULL);
	}
}

/* Up to the first byte that is another one. */
static void compare(const uint8_t *data, const uint8_t *sent, size_t len, uint64_t at)
{
	for (size_t i = 0; i < len; i++)
		if (data[i] != sent[i])
			errx(3, "byte %llu is %#x where %#x was sent", (unsigned long long)(at + i),
			     data[i], sent[i]);
}

static void receive_all(struct sha256 *sha, int fd, uint64_t seed)
{
	uint8_t data[PIECE], sent[PIECE];
	size_t at = 0;
	ssize_t n;

	while ((n = read(fd, data + at, sizeof(data) - at)) > 0) {
		if (seed && !at)
			fill(sent, &seed);
		if (seed)
			compare(data + at, sent + at, n, sha->len + at);
		at += n;
		if (at == sizeof(data)) {
			sha256_add(sha, data, at);
			at = 0;
		}
	}
	/* 0 is told once, of either end; then whether all came. */
	if (n < 0 || (read(fd, data + at, 1) < 0 && errno != EPIPE))
		err(1, "receiving");
	sha256_add(sha, data, at);
}

int main(int argc, char **argv)
{
	int sends = argc >= 4 && !strcmp(argv[1], "send");
	const char *seed;
	struct sha256 sha;
	int fd;

	if (argc < 3 || argc > 4 + sends || (!sends && strcmp(argv[1], "receive")))
		errx(2, "usage: duct_stream send FILE STOP [SEED] | duct_stream receive FILE [SEED]");
	seed = argc > 3 + sends ? argv[3 + sends] : NULL;
	fd = open(argv[2], sends ? O_WRONLY : O_RDONLY);
	if (fd < 0)
		err(1, "%s", argv[2]);
	sha256_init(&sha);
	if (sends)
		send_all(&sha, fd, argv[3], seed_of(seed));
	else
		receive_all(&sha, fd, seed ? seed_of(seed) : 0);
	if (close(fd))
		err(1, "closing");
	sha256_print(&sha);
	return 0;
}
