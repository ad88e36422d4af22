#include "load_plan_object.h"

namespace hatchery {
namespace {

uint64_t integer(const Napi::Object& object, const char* name) {
    return static_cast<uint64_t>(object.Get(name).ToNumber().Int64Value());
}

RegionPlan region_from(const Napi::Object& given) {
    RegionPlan region;
    region.bytes = integer(given, "bytes");
    const auto placements = given.Get("placements").As<Napi::Array>();
    for (uint32_t i = 0; i < placements.Length(); i++) {
        const Napi::Object one = placements.Get(i).As<Napi::Object>();
        region.placements.push_back(
            {integer(one, "virtualAddress"), integer(one, "physicalAddress"), integer(one, "pages"),
             one.Get("writable").ToBoolean(), one.Get("executable").ToBoolean(),
             one.Get("large").ToBoolean()});
    }
    region.contents = contents_from(given.Get("contents").As<Napi::Array>());
    return region;
}

}  // namespace

std::vector<Content> contents_from(const Napi::Array& given) {
    std::vector<Content> contents;
    for (uint32_t i = 0; i < given.Length(); i++) {
        const Napi::Object one = given.Get(i).As<Napi::Object>();
        auto bytes = one.Get("bytes").As<Napi::Uint8Array>();
        contents.push_back({integer(one, "physicalAddress"), {bytes.Data(), bytes.ByteLength()}});
    }
    return contents;
}

LoadPlan load_plan_from(const Napi::Object& given) {
    LoadPlan plan;
    plan.entry = integer(given, "entry");
    plan.memory = region_from(given.Get("memory").As<Napi::Object>());
    plan.shared = region_from(given.Get("shared").As<Napi::Object>());
    plan.channel = integer(given, "channel");
    return plan;
}

}  // namespace hatchery
