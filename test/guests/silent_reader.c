/* Answers without reading the request's body. */
#include "kernel.h"

void application_start(void) {}

void application_serve(void) {
    respond(&(struct response){.status = 204});
}
