/* libxlutil: the syntax of xl's configuration files. Needs no Xen. */
#ifndef HATCHERY_LIBXL_XL_SYNTAX_H
#define HATCHERY_LIBXL_XL_SYNTAX_H

#include <napi.h>

namespace hatchery {

/*
 * Each gives `{value, report}`: what was parsed, or undefined, and what libxlutil had to say about
 * it. src/xen/libxl-native.ts types them.
 */
Napi::Value parse_configuration(const Napi::CallbackInfo& info);
Napi::Value parse_disk(const Napi::CallbackInfo& info);
Napi::Value parse_rate(const Napi::CallbackInfo& info);

}  // namespace hatchery

#endif
