/* Upper and lower case of Latin letters, without the locale.
 *
 * ASCII, Latin-1 Supplement and Latin Extended-A (U+0000 to U+017F): the languages of Europe in
 * Latin script. One letter stays one letter (ß has no upper case here). All other characters
 * are left as they are. Source: Unicode 15, UnicodeData.txt. */
#ifndef PURSER_CODEC_LETTERS_H
#define PURSER_CODEC_LETTERS_H

#include <stdint.h>

uint32_t letter_lower(uint32_t character);
uint32_t letter_upper(uint32_t character);

/* The plain ASCII letters, in lower case, for a Latin letter with marks ("a" for Ä, "ss" for ß);
 * "" for what is no such letter. */
const char *letter_plain(uint32_t character);

#endif
