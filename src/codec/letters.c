#include "letters.h"

#include <stddef.h>

uint32_t letter_lower(uint32_t character)
{
    if ((character >= 'A' && character <= 'Z') ||
        (character >= 0xc0 && character <= 0xde && character != 0xd7))
        return character + 0x20;
    if (character == 0x130) /* İ */
        return 'i';
    if (character == 0x178) /* Ÿ */
        return 0xff;
    /* Pairs: the upper case is even, but odd from Ĺ to Ň and from Ź to Ž. */
    if ((character >= 0x100 && character <= 0x137) || (character >= 0x14a && character <= 0x177))
        return character | 1;
    if ((character >= 0x139 && character <= 0x148) || (character >= 0x179 && character <= 0x17e))
        return character + (character & 1);
    return character;
}

uint32_t letter_upper(uint32_t character)
{
    if ((character >= 'a' && character <= 'z') ||
        (character >= 0xe0 && character <= 0xfe && character != 0xf7))
        return character - 0x20;
    if (character == 0xff) /* ÿ */
        return 0x178;
    if (character == 0x131) /* ı */
        return 'I';
    if (character == 0x17f) /* ſ */
        return 'S';
    if (character == 0x130 || character == 0x149) /* İ is upper, ŉ has no upper case */
        return character;
    if ((character >= 0x100 && character <= 0x137) || (character >= 0x14a && character <= 0x177))
        return character & ~UINT32_C(1);
    if ((character >= 0x139 && character <= 0x148) || (character >= 0x179 && character <= 0x17e))
        return character - (1 - (character & 1));
    return character;
}

const char *letter_plain(uint32_t character)
{
    static const char ascii[][2] = {"a", "b", "c", "d", "e", "f", "g", "h", "i",
                                    "j", "k", "l", "m", "n", "o", "p", "q", "r",
                                    "s", "t", "u", "v", "w", "x", "y", "z"};
    static const char *const latin_1[] = {
        /* from U+00E0 */
        "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i",  "i",
        "d", "n", "o", "o", "o", "o", "o",  "",  "o", "u", "u", "u", "u", "y", "th", "y",
    };
    /* From U+0100, one for each pair of cases, up to the odd ones. */
    static const char extended[] = "aaaccccddeeeeegggghhiiiii";
    uint32_t lower = letter_lower(character);

    if (lower >= 'a' && lower <= 'z')
        return ascii[lower - 'a'];
    if (lower == 0xdf)
        return "ss";
    if (lower >= 0xe0 && lower <= 0xff)
        return latin_1[lower - 0xe0];
    if (lower >= 0x100 && lower <= 0x131)
        return ascii[extended[(lower - 0x100) / 2] - 'a'];
    if (lower == 0x133)
        return "ij";
    if (lower == 0x135)
        return "j";
    if (lower == 0x137 || lower == 0x138)
        return "k";
    if (lower >= 0x139 && lower <= 0x142)
        return "l";
    if (lower >= 0x143 && lower <= 0x14b)
        return "n";
    if (lower >= 0x14c && lower <= 0x151)
        return "o";
    if (lower == 0x153)
        return "oe";
    if (lower >= 0x154 && lower <= 0x159)
        return "r";
    if ((lower >= 0x15a && lower <= 0x161) || lower == 0x17f)
        return "s";
    if (lower >= 0x162 && lower <= 0x167)
        return "t";
    if (lower >= 0x168 && lower <= 0x173)
        return "u";
    if (lower == 0x175)
        return "w";
    if (lower == 0x177)
        return "y";
    return lower >= 0x17a && lower <= 0x17e ? "z" : "";
}
