/* What `/` answers: page.html, put in by the assembler as it stands; paths are relative to the top folder. The page tests the
 * host from a browser, and its <html data-result> becomes "ok" or "failed". */
extern const char index_page[];

__asm__(".section .rodata\n"
        ".global index_page\n"
        ".type index_page, @object\n"
        "index_page: .incbin \"tests/host/page.html\"\n"
        ".byte 0\n"
        ".size index_page, . - index_page\n"
        ".previous\n");
