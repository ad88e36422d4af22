/* Xen's libraries for Dom0. Their headers are C without a word for C++, and in GNU's dialect. */
#ifndef HATCHERY_XEN_XEN_LIBRARY_H
#define HATCHERY_XEN_XEN_LIBRARY_H

extern "C" {
/* First: it asks for the part of Xen's headers that is for toolstacks. */
#include <xenctrl.h>

#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xenguest.h>
#include <xenstore.h>
#include <xentoollog.h>
}

#endif
