/**
 * @file checksum.h
 * Checksum of a sequence of 64-bit words that can be computed in pieces, in any order.
 *
 * The checksum is the sum modulo 2^64 of one term for each word, which depends on the word and its
 * place. For a given place the term is a bijection of the word, so a change of one word always
 * changes the checksum; other changes go unnoticed with a chance of 2^-64. Pieces add up, so it is
 * the same on any partition of the words.
 *
 * Source: the mixing of a term is of the kind of G. L. Steele, D. Lea, C. H. Flood, "Fast
 * splittable pseudorandom number generators" (2014), section 4: xor-shifts and odd multiplications.
 */
#ifndef ENGRAM_KERNELS_CHECKSUM_H
#define ENGRAM_KERNELS_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/**
 * Sum of the terms of words that follow each other.
 *
 * @param first  place of the first word in the whole sequence
 * @param words  [8 * count] bytes, of any alignment
 * @param count  number of words
 */
uint64_t EngramChecksum(uint64_t first, const void *words, ptrdiff_t count);

#endif
