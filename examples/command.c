/* A WASI command that answers requests in the manner of CGI: see docs/wasm.md. */
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    const char *query = getenv("QUERY_STRING");
    printf("Content-Type: text/plain\n\n");
    printf("%s %s\n", getenv("REQUEST_METHOD"), query == NULL ? "" : query);
    FILE *greeting = fopen("/greeting.txt", "r");
    char line[80];
    while (greeting != NULL && fgets(line, sizeof line, greeting) != NULL) {
        fputs(line, stdout);
    }
    for (int character; (character = getchar()) != EOF;) {
        putchar(character);
    }
    return 0;
}
